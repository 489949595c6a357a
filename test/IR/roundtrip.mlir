// What is printed parses again to the same, and prints the same.
//
// RUN: sparse-attn-opt %s | sparse-attn-opt | FileCheck %s

//===----------------------------------------------------------------------===//
// Primitive masks
//===----------------------------------------------------------------------===//

// Masks are attributes: any op may carry them, and an alias names them.
// CHECK-LABEL: func.func private @full_and_causal
// CHECK-SAME:    a = #sparse_attn.full, b = #sparse_attn.causal
func.func private @full_and_causal() attributes {
  a = #sparse_attn.full, b = #sparse_attn.causal}

// Both ends of a window are inclusive, and either may be unbounded. Parameters
// at their default (dilation, block) are not printed.
// CHECK-LABEL: func.func private @windows
// CHECK-SAME:    a = #sparse_attn.sliding_window<left = 256, right = 256>
// CHECK-SAME:    b = #sparse_attn.sliding_window<left = unbounded, right = 0>
// CHECK-SAME:    c = #sparse_attn.sliding_window<left = 3, right = unbounded>
// CHECK-SAME:    d = #sparse_attn.sliding_window<left = 8, right = 0, dilation = 4>
// CHECK-SAME:    e = #sparse_attn.sliding_window<left = 1, right = 1, block = 64>
// CHECK-SAME:    f = #sparse_attn.sliding_window<left = 0, right = 2>
func.func private @windows() attributes {
  a = #sparse_attn.sliding_window<left = 256, right = 256>,
  b = #sparse_attn.sliding_window<left = unbounded, right = 0>,
  c = #sparse_attn.sliding_window<left = 3, right = unbounded>,
  d = #sparse_attn.sliding_window<left = 8, right = 0, dilation = 4>,
  e = #sparse_attn.sliding_window<left = 1, right = 1, block = 64>,
  f = #sparse_attn.sliding_window<right = 2, left = 0, dilation = 1, block = 1>}

// Global positions: a list (negative ones count from the end), the first few,
// the last few; seen by all, seeing all, or both.
// CHECK-LABEL: func.func private @globals
// CHECK-SAME:    a = #sparse_attn.global<tokens = [0, 7, -1]>
// CHECK-SAME:    b = #sparse_attn.global<first = 4, last = 2>
// CHECK-SAME:    c = #sparse_attn.global<tokens = [0], direction = rows>
// CHECK-SAME:    d = #sparse_attn.global<first = 1, direction = columns>
// CHECK-SAME:    e = #sparse_attn.global<last = 1>
// CHECK-SAME:    f = #sparse_attn.global<last_block = 16>
// CHECK-SAME:    g = #sparse_attn.global<listed>
// CHECK-SAME:    h = #sparse_attn.global<listed, direction = rows>
func.func private @globals() attributes {
  a = #sparse_attn.global<tokens = [0, 7, -1]>,
  b = #sparse_attn.global<first = 4, last = 2>,
  c = #sparse_attn.global<tokens = [0], direction = rows>,
  d = #sparse_attn.global<first = 1, direction = columns>,
  e = #sparse_attn.global<last = 1, direction = both>,
  f = #sparse_attn.global<last_block = 16>,
  g = #sparse_attn.global<direction = both, listed>,
  h = #sparse_attn.global<listed, direction = rows>}

// A seed takes all 64 bits.
// CHECK-LABEL: func.func private @random
// CHECK-SAME:    a = #sparse_attn.random<block = 64, blocks_per_row = 3>
// CHECK-SAME:    b = #sparse_attn.random<block = 64, blocks_per_row = 3, seed = 18446744073709551615>
// CHECK-SAME:    c = #sparse_attn.random<block = 16, blocks_per_row = 1, seed = 7, per_head = false>
// CHECK-SAME:    d = #sparse_attn.random<block = 64, blocks_per_row = 3, bigbird_radius = 1>
// CHECK-SAME:    e = #sparse_attn.random<block = 64, blocks_per_row = 3, bigbird_radius = 0>
func.func private @random() attributes {
  a = #sparse_attn.random<block = 64, blocks_per_row = 3>,
  b = #sparse_attn.random<block = 64, blocks_per_row = 3, seed = 18446744073709551615>,
  c = #sparse_attn.random<block = 16, blocks_per_row = 1, seed = 7, per_head = false>,
  d = #sparse_attn.random<block = 64, blocks_per_row = 3, bigbird_radius = 1>,
  e = #sparse_attn.random<block = 64, blocks_per_row = 3, bigbird_radius = 0>}

// CHECK-LABEL: func.func private @periodic
// CHECK-SAME:    a = #sparse_attn.chunked<size = 128>
// CHECK-SAME:    b = #sparse_attn.strided<stride = 128>
// CHECK-SAME:    c = #sparse_attn.prefix<length = 100>
// CHECK-SAME:    d = #sparse_attn.periodic_columns<period = 128, last = 8>
// CHECK-SAME:    e = #sparse_attn.periodic_rows<period = 128, last = 8>
func.func private @periodic() attributes {
  a = #sparse_attn.chunked<size = 128>,
  b = #sparse_attn.strided<stride = 128>,
  c = #sparse_attn.prefix<length = 100>,
  d = #sparse_attn.periodic_columns<period = 128, last = 8>,
  e = #sparse_attn.periodic_rows<period = 128, last = 8>}

//===----------------------------------------------------------------------===//
// Combinators and presets
//===----------------------------------------------------------------------===//

// CHECK-LABEL: func.func private @combinators
// CHECK-SAME:    a = #sparse_attn.union<#sparse_attn.causal, #sparse_attn.prefix<length = 2>>
// CHECK-SAME:    b = #sparse_attn.intersection<#sparse_attn.causal, #sparse_attn.union<#sparse_attn.strided<stride = 4>, #sparse_attn.chunked<size = 4>>>
// CHECK-SAME:    c = #sparse_attn.complement<#sparse_attn.causal>
// CHECK-SAME:    d = #sparse_attn.union<#sparse_attn.full>
#inner = #sparse_attn.union<#sparse_attn.strided<stride = 4>,
                            #sparse_attn.chunked<size = 4>>
func.func private @combinators() attributes {
  a = #sparse_attn.union<#sparse_attn.causal, #sparse_attn.prefix<length = 2>>,
  b = #sparse_attn.intersection<#sparse_attn.causal, #inner>,
  c = #sparse_attn.complement<#sparse_attn.causal>,
  d = #sparse_attn.union<#sparse_attn.full>}

// A preset prints under the name its paper gave it, not as what it expands to.
// CHECK-LABEL: func.func private @presets
// CHECK-SAME:    a = #sparse_attn.longformer<window = 512, global_tokens = [0, -1]>
// CHECK-SAME:    b = #sparse_attn.longformer<window = 512>
// CHECK-SAME:    c = #sparse_attn.bigbird<block = 64, window_blocks = 3, random_blocks = 3, seed = 7>
// CHECK-SAME:    d = #sparse_attn.bigbird<block = 64, window_blocks = 1, random_blocks = 0>
// CHECK-SAME:    e = #sparse_attn.prefix_lm<length = 100>
// CHECK-SAME:    f = #sparse_attn.streaming<sinks = 4, window = 1024>
// CHECK-SAME:    g = #sparse_attn.sparse_transformer_strided<stride = 128>
// CHECK-SAME:    h = #sparse_attn.sparse_transformer_fixed<stride = 128, columns = 8>
func.func private @presets() attributes {
  a = #sparse_attn.longformer<window = 512, global_tokens = [0, -1]>,
  b = #sparse_attn.longformer<window = 512>,
  c = #sparse_attn.bigbird<block = 64, window_blocks = 3, random_blocks = 3, seed = 7>,
  d = #sparse_attn.bigbird<block = 64, window_blocks = 1, random_blocks = 0>,
  e = #sparse_attn.prefix_lm<length = 100>,
  f = #sparse_attn.streaming<sinks = 4, window = 1024>,
  g = #sparse_attn.sparse_transformer_strided<stride = 128>,
  h = #sparse_attn.sparse_transformer_fixed<stride = 128, columns = 8>}

//===----------------------------------------------------------------------===//
// Plans
//===----------------------------------------------------------------------===//

// A plan: classes of rows, each with segments of key tiles whose bounds are
// expressions, and draws of random key tiles. Bounds print in canonical form.
// CHECK-LABEL: func.func private @plan
// CHECK-SAME:    a = #sparse_attn.plan<tile = [48, 64], rows = [
// CHECK-SAME:      <"0" to "nq", segments = [
// CHECK-SAME:        <partial "0" to "max(0, (q * 3 - 16) floordiv 4)">,
// CHECK-SAME:        <full "q" to "min(q + 1, nk floordiv 64)">],
// CHECK-SAME:      draws = [<partial <block = 64, blocks_per_row = 3> "0" to "nk floordiv 64">]>,
// CHECK-SAME:      <"0" to "1", heavy = true, segments = [<full "0" to "8">]>,
// CHECK-SAME:      <"1" to "2">]>
// CHECK-SAME:    b = #sparse_attn.plan<tile = [16, 64], few_blocks = true, rows = [<"0" to "nq", heavy = true>]>
// CHECK-SAME:    c = #sparse_attn.plan<tile = [1, 64], heads = 4, rows = [<"0" to "nq">]>
func.func private @plan() attributes {
  a = #sparse_attn.plan<tile = [48, 64], rows = [
    <"0" to "nq", segments = [
      <partial "0" to "max(0, (q * 48 - 256) floordiv 64)">,
      <full "q" to "min(nk floordiv 64, q + 1)">],
     draws = [<partial <block = 64, blocks_per_row = 3> "0" to "nk floordiv 64">]>,
    <"0" to "1", heavy = true, segments = [<full "0" to "8">]>,
    <"1" to "2", heavy = false>]>,
  b = #sparse_attn.plan<tile = [16, 64], few_blocks = true, rows = [<"0" to "nq", heavy = true>]>,
  c = #sparse_attn.plan<tile = [1, 64], heads = 4, rows = [<"0" to "nq">]>}

// CHECK-LABEL: func.func @device
// CHECK:         %[[SMS:.*]] = sparse_attn.sm_count
// CHECK:         sparse_attn.launch_argument %[[SMS]]
func.func @device() -> index {
  %sms = sparse_attn.sm_count
  %parts = sparse_attn.launch_argument %sms
  return %parts : index
}

// CHECK-LABEL: @parts
// CHECK-SAME:    a = #sparse_attn.plan<offset_multiple = 0, parts = [
// CHECK-SAME:      <step = 4, pairs = "j >= i - 64", tile = [32, 16], rows = [<"0" to "nq", segments = [<partial "0" to "q">]>]>,
// CHECK-SAME:      <pairs = "j < 4 and j - i mod 4 in 1 to 4", tile = [16, 16], rows = [<"0" to "nq">]>]>
func.func private @parts() attributes {
  a = #sparse_attn.plan<offset_multiple = 0, parts = [
    <step = 4, pairs = "j >= i - 64", tile = [32, 16], rows = [<"0" to "nq", segments = [<partial "0" to "q">]>]>,
    <step = 1, pairs = "j < 4 and j - i mod 4 in 1 to 4", tile = [16, 16], rows = [<"0" to "nq">]>]>}

//===----------------------------------------------------------------------===//
// The op
//===----------------------------------------------------------------------===//

// CHECK-LABEL: func.func @static_tensors
// CHECK:         sparse_attn.attention mask(#sparse_attn.causal) scale(1.250000e-01)
// CHECK-SAME:      ins(%{{.*}}, %{{.*}}, %{{.*}} : tensor<1x12x4096x64xbf16>, tensor<1x12x4096x64xbf16>, tensor<1x12x4096x64xbf16>)
// CHECK-SAME:      outs(%{{.*}} : tensor<1x12x4096x64xbf16>) -> tensor<1x12x4096x64xbf16>
func.func @static_tensors(%q: tensor<1x12x4096x64xbf16>, %k: tensor<1x12x4096x64xbf16>,
                          %v: tensor<1x12x4096x64xbf16>) -> tensor<1x12x4096x64xbf16> {
  %init = tensor.empty() : tensor<1x12x4096x64xbf16>
  %o = sparse_attn.attention mask(#sparse_attn.causal) scale(1.250000e-01)
      ins(%q, %k, %v : tensor<1x12x4096x64xbf16>, tensor<1x12x4096x64xbf16>,
                       tensor<1x12x4096x64xbf16>)
      outs(%init : tensor<1x12x4096x64xbf16>) -> tensor<1x12x4096x64xbf16>
  return %o : tensor<1x12x4096x64xbf16>
}

// CHECK-LABEL: func.func @softcap
// CHECK:         sparse_attn.attention mask(#sparse_attn.causal) scale(1.250000e-01) softcap(3.000000e+01) ins(
// CHECK:         sparse_attn.attention mask(#sparse_attn.full) softcap(5.000000e+01) plan(
func.func @softcap(%q: tensor<1x1x64x8xf32>) -> (tensor<1x1x64x8xf32>, tensor<1x1x64x8xf32>) {
  %a = sparse_attn.attention mask(#sparse_attn.causal) scale(0.125) softcap(30.0)
      ins(%q, %q, %q : tensor<1x1x64x8xf32>, tensor<1x1x64x8xf32>, tensor<1x1x64x8xf32>)
      outs(%q : tensor<1x1x64x8xf32>) -> tensor<1x1x64x8xf32>
  %b = sparse_attn.attention mask(#sparse_attn.full) softcap(50.0)
      plan(<tile = [16, 16], rows = [<"0" to "nq", segments = [<full "0" to "4">]>]>)
      ins(%q, %q, %q : tensor<1x1x64x8xf32>, tensor<1x1x64x8xf32>, tensor<1x1x64x8xf32>)
      outs(%q : tensor<1x1x64x8xf32>) -> tensor<1x1x64x8xf32>
  return %a, %b : tensor<1x1x64x8xf32>, tensor<1x1x64x8xf32>
}

// Positions are one number of all sequences, or one each.
//
// CHECK-LABEL: func.func @positions
// CHECK-SAME:    %[[Q:[a-z0-9]+]]: tensor<2x4x64x8xf32>, %[[ONE:[a-z0-9]+]]: tensor<i64>, %[[EACH:[a-z0-9]+]]: tensor<2xi64>, %[[N:[a-z0-9]+]]: tensor<2xi32>
// CHECK:         data(query_position = %[[ONE]] : tensor<i64>, key_position = %[[EACH]] : tensor<2xi64>, key_begin = %[[N]] : tensor<2xi32>) outs(
func.func @positions(%q: tensor<2x4x64x8xf32>, %one: tensor<i64>, %each: tensor<2xi64>, %n: tensor<2xi32>) -> tensor<2x4x64x8xf32> {
  %a = sparse_attn.attention mask(#sparse_attn.causal)
      ins(%q, %q, %q : tensor<2x4x64x8xf32>, tensor<2x4x64x8xf32>, tensor<2x4x64x8xf32>)
      data(query_position = %one : tensor<i64>, key_position = %each : tensor<2xi64>, key_begin = %n : tensor<2xi32>)
      outs(%q : tensor<2x4x64x8xf32>) -> tensor<2x4x64x8xf32>
  return %a : tensor<2x4x64x8xf32>
}

// Keys and values in pages: pools.
//
// CHECK-LABEL: func.func @pages
// CHECK-SAME:    %[[TABLE:[a-z0-9]+]]: tensor<2x3xi32>
// CHECK:         data(page_table = %[[TABLE]] : tensor<2x3xi32>) outs(
func.func @pages(%q: tensor<2x4x64x8xf32>, %kv: tensor<?x2x16x8xf32>, %table: tensor<2x3xi32>) -> tensor<2x4x64x8xf32> {
  %a = sparse_attn.attention mask(#sparse_attn.causal)
      ins(%q, %kv, %kv : tensor<2x4x64x8xf32>, tensor<?x2x16x8xf32>, tensor<?x2x16x8xf32>)
      data(page_table = %table : tensor<2x3xi32>)
      outs(%q : tensor<2x4x64x8xf32>) -> tensor<2x4x64x8xf32>
  return %a : tensor<2x4x64x8xf32>
}

// Data operands come before the origin, and a score region behind the inits.
//
// CHECK-LABEL: func.func @data
// CHECK-SAME:    %[[N:[a-z0-9]+]]: tensor<2xi32>, %[[S:[a-z0-9]+]]: tensor<4xf32>, %[[BIAS:[a-z0-9]+]]: tensor<1x64x?xf32>,
// CHECK:         sparse_attn.attention mask(#sparse_attn.causal) ins(
// CHECK-SAME:      data(key_lengths = %[[N]] : tensor<2xi32>, sinks = %[[S]] : tensor<4xf32>, bias = %[[BIAS]] : tensor<1x64x?xf32>) outs(
// CHECK:         sparse_attn.attention mask(#sparse_attn.full) ins(
// CHECK-SAME:      data(query_lengths = %[[N]] : tensor<2xi32>, slopes = %[[S]] : tensor<4xf32>, extra = %[[S]] : tensor<4xf32>, extra = %[[N]] : tensor<2xi32>)
// CHECK-SAME:      origin(%{{.*}}, %{{.*}}, %{{.*}}, %{{.*}}) outs(
// CHECK-SAME:      score {
// CHECK-NEXT:      ^bb0(%[[X:.*]]: f32, %{{.*}}: index, %[[H:.*]]: index, %{{.*}}: index, %{{.*}}: index):
// CHECK-NEXT:        %[[Y:.*]] = tensor.extract %[[S]][%[[H]]] : tensor<4xf32>
// CHECK:             %[[Z:.*]] = arith.addf %[[X]], %[[Y]] : f32
// CHECK-NEXT:        sparse_attn.yield %[[Z]] : f32
// CHECK-NEXT:      } -> tensor<2x4x64x8xf32>
func.func @data(%q: tensor<2x4x64x8xf32>, %n: tensor<2xi32>, %s: tensor<4xf32>, %bias: tensor<1x64x?xf32>, %at: index) -> tensor<2x4x64x8xf32> {
  %a = sparse_attn.attention mask(#sparse_attn.causal)
      ins(%q, %q, %q : tensor<2x4x64x8xf32>, tensor<2x4x64x8xf32>, tensor<2x4x64x8xf32>)
      data(key_lengths = %n : tensor<2xi32>, sinks = %s : tensor<4xf32>, bias = %bias : tensor<1x64x?xf32>)
      outs(%q : tensor<2x4x64x8xf32>) -> tensor<2x4x64x8xf32>
  %b = sparse_attn.attention mask(#sparse_attn.full)
      ins(%a, %q, %q : tensor<2x4x64x8xf32>, tensor<2x4x64x8xf32>, tensor<2x4x64x8xf32>)
      data(query_lengths = %n : tensor<2xi32>, slopes = %s : tensor<4xf32>, extra = %s : tensor<4xf32>, extra = %n : tensor<2xi32>)
      origin(%at, %at, %at, %at)
      outs(%q : tensor<2x4x64x8xf32>) score {
      ^bb0(%x: f32, %batch: index, %h: index, %i: index, %j: index):
        %y = tensor.extract %s[%h] : tensor<4xf32>
        %length = tensor.extract %n[%batch] : tensor<2xi32>
        %z = arith.addf %x, %y : f32
        sparse_attn.yield %z : f32
      } -> tensor<2x4x64x8xf32>
  return %b : tensor<2x4x64x8xf32>
}

// A mask that reads data, and a plan of it.
//
// CHECK-LABEL: func.func @listed
// CHECK:         sparse_attn.attention mask(#sparse_attn.union<#sparse_attn.causal, #sparse_attn.global<listed>>)
// CHECK-SAME:      segments = [<partial "0" to "q" within listed>, <partial "q" to "q + 1" within listed rows>,
// CHECK-SAME:        <partial "q + 1" to "q + 2" within listed columns>, <partial "q + 2" to "q + 3" within documents and listed>,
// CHECK-SAME:        <full "q + 3" to "q + 4" within documents or listed columns>]
// CHECK-SAME:      data(global_tokens = %{{.*}} : tensor<2x?xi32>)
func.func @listed(%q: tensor<2x4x64x8xf32>, %tokens: tensor<2x?xi32>) -> tensor<2x4x64x8xf32> {
  %o = sparse_attn.attention mask(#sparse_attn.union<#sparse_attn.causal, #sparse_attn.global<listed>>)
      plan(<tile = [16, 16], rows = [<"0" to "nq", segments = [<partial "0" to "q" within listed>,
        <partial "q" to "q + 1" within listed rows>, <partial "q + 1" to "q + 2" within listed columns>,
        <partial "q + 2" to "q + 3" within documents and listed>, <full "q + 3" to "q + 4" within documents or listed columns>]>]>)
      ins(%q, %q, %q : tensor<2x4x64x8xf32>, tensor<2x4x64x8xf32>, tensor<2x4x64x8xf32>)
      data(global_tokens = %tokens : tensor<2x?xi32>)
      outs(%q : tensor<2x4x64x8xf32>) -> tensor<2x4x64x8xf32>
  return %o : tensor<2x4x64x8xf32>
}

// CHECK-LABEL: func.func @documents
// CHECK:         sparse_attn.attention mask(#sparse_attn.intersection<#sparse_attn.causal, #sparse_attn.document>)
// CHECK-SAME:      segments = [<full "0" to "q" within documents>, <partial "q" to "q + 1" when "q > 0" within documents>]
// CHECK-SAME:      data(documents = %{{.*}} : tensor<2x?xi32>)
func.func @documents(%q: tensor<2x4x64x8xf32>, %ids: tensor<2x?xi32>) -> tensor<2x4x64x8xf32> {
  %o = sparse_attn.attention mask(#sparse_attn.intersection<#sparse_attn.causal, #sparse_attn.document>)
      plan(<tile = [8, 8], rows = [<"0" to "nq",
        segments = [<full "0" to "q" within documents>, <partial "q" to "q + 1" when "q > 0" within documents>]>]>)
      ins(%q, %q, %q : tensor<2x4x64x8xf32>, tensor<2x4x64x8xf32>, tensor<2x4x64x8xf32>)
      data(documents = %ids : tensor<2x?xi32>)
      outs(%q : tensor<2x4x64x8xf32>) -> tensor<2x4x64x8xf32>
  return %o : tensor<2x4x64x8xf32>
}

// Every length may be dynamic; head sizes may not. Eight query heads share two
// key heads, values are wider than keys, and the second result is the
// log-sum-exp of each row.
// CHECK-LABEL: func.func @dynamic_gqa_lse
// CHECK:         sparse_attn.attention mask(#sparse_attn.full) ins(
// CHECK-SAME:      -> tensor<?x8x?x64xf16>, tensor<?x8x?xf32>
func.func @dynamic_gqa_lse(%q: tensor<?x8x?x32xf16>, %k: tensor<?x2x?x32xf16>,
                           %v: tensor<?x2x?x64xf16>, %init: tensor<?x8x?x64xf16>,
                           %lse: tensor<?x8x?xf32>)
    -> (tensor<?x8x?x64xf16>, tensor<?x8x?xf32>) {
  %o:2 = sparse_attn.attention mask(#sparse_attn.full)
      ins(%q, %k, %v : tensor<?x8x?x32xf16>, tensor<?x2x?x32xf16>, tensor<?x2x?x64xf16>)
      outs(%init, %lse : tensor<?x8x?x64xf16>, tensor<?x8x?xf32>)
      -> tensor<?x8x?x64xf16>, tensor<?x8x?xf32>
  return %o#0, %o#1 : tensor<?x8x?x64xf16>, tensor<?x8x?xf32>
}

// `origin` says where a tile of a larger attention stands: its first head's
// index, and the position of its first row.
// CHECK-LABEL: func.func @origin
// CHECK-SAME:    %[[HEAD:[a-z0-9]+]]: index, %[[POSITION:[a-z0-9]+]]: index
// CHECK:         sparse_attn.attention mask({{.*}}) ins({{.*}}) origin(%[[HEAD]], %[[POSITION]]) outs(
func.func @origin(%head: index, %position: index, %q: tensor<1x1x16x8xf32>,
                  %k: tensor<1x1x64x8xf32>, %init: tensor<1x1x16x8xf32>)
    -> tensor<1x1x16x8xf32> {
  %o = sparse_attn.attention mask(#sparse_attn.causal)
      ins(%q, %k, %k : tensor<1x1x16x8xf32>, tensor<1x1x64x8xf32>, tensor<1x1x64x8xf32>)
      origin(%head, %position)
      outs(%init : tensor<1x1x16x8xf32>) -> tensor<1x1x16x8xf32>
  return %o : tensor<1x1x16x8xf32>
}

// With a plan and an attribute of someone else's.
// CHECK-LABEL: func.func @planned
// CHECK:         sparse_attn.attention mask(#sparse_attn.full)
// CHECK-SAME:      plan(<tile = [16, 16], rows = [<"0" to "nq", segments = [<full "0" to "4">]>]>)
// CHECK-SAME:      ins({{.*}}) outs({{.*}}) {layer = 3 : i64} -> tensor<1x1x64x8xf32>
func.func @planned(%q: tensor<1x1x64x8xf32>, %init: tensor<1x1x64x8xf32>)
    -> tensor<1x1x64x8xf32> {
  %o = sparse_attn.attention mask(#sparse_attn.full)
      plan(<tile = [16, 16], rows = [<"0" to "nq", segments = [<full "0" to "4">]>]>)
      ins(%q, %q, %q : tensor<1x1x64x8xf32>, tensor<1x1x64x8xf32>, tensor<1x1x64x8xf32>)
      outs(%init : tensor<1x1x64x8xf32>) {layer = 3 : i64} -> tensor<1x1x64x8xf32>
  return %o : tensor<1x1x64x8xf32>
}

// On buffers the inits are written and there are no results. Layouts may be
// strided: here heads are interleaved within a row.
// CHECK-LABEL: func.func @memrefs
// CHECK:         sparse_attn.attention mask(#sparse_attn.causal)
// CHECK-SAME:      ins({{.*}} : memref<1x4x64x8xf32, strided<[2048, 8, 32, 1]>>, memref<1x4x64x8xf32>, memref<1x4x64x8xf32>)
// CHECK-SAME:      outs({{.*}} : memref<1x4x64x8xf32>, memref<1x4x64xf32>){{$}}
func.func @memrefs(%q: memref<1x4x64x8xf32, strided<[2048, 8, 32, 1]>>,
                   %k: memref<1x4x64x8xf32>, %o: memref<1x4x64x8xf32>,
                   %lse: memref<1x4x64xf32>) {
  sparse_attn.attention mask(#sparse_attn.causal)
      ins(%q, %k, %k : memref<1x4x64x8xf32, strided<[2048, 8, 32, 1]>>,
                       memref<1x4x64x8xf32>, memref<1x4x64x8xf32>)
      outs(%o, %lse : memref<1x4x64x8xf32>, memref<1x4x64xf32>)
  return
}
