// Which key tiles each query tile visits, in closed form.
//
// RUN: sparse-attn-opt %s --sparse-attn-plan="tile-queries=16 tile-keys=32" --split-input-file \
// RUN:   --verify-diagnostics | FileCheck %s
// RUN: sparse-attn-opt %s --sparse-attn-plan --split-input-file | FileCheck %s --check-prefix=CHOSEN
//
// A plan is proven for its mask by the next pass; see prove-plan.mlir.

!t = tensor<1x4x256x64xf32>

// Causal: full tiles below the diagonal, partial ones on it. Without a tile
// size the pass takes one for the CPU.
// CHECK-LABEL:  func.func @causal
// CHECK:          mask(#sparse_attn.causal) plan(<tile = [16, 32], rows = [
// CHECK-SAME:       <"0" to "256", segments = [
// CHECK-SAME:         <full "0" to "q floordiv 2">,
// CHECK-SAME:         <partial "q floordiv 2" to "(q + 2) floordiv 2">]>]>)
// CHOSEN-LABEL: func.func @causal
// CHOSEN:         plan(<tile = [{{[0-9]+}}, {{[0-9]+}}]
func.func @causal(%q: !t) -> !t {
  %o = sparse_attn.attention mask(#sparse_attn.causal)
      ins(%q, %q, %q : !t, !t, !t) outs(%q : !t) -> !t
  return %o : !t
}

// A window: its two edges are partial, each cut by one bound; the middle is full.
// CHECK-LABEL: func.func @window
// CHECK:         rows = [<"0" to "256", segments = [
// CHECK-SAME:      <partial "max(0, (q - 2) floordiv 2)" to "q floordiv 2" where "j >= i - 32">,
// CHECK-SAME:      <full "q floordiv 2" to "(q + 2) floordiv 2">,
// CHECK-SAME:      <partial "(q + 2) floordiv 2" to "min(8, (q + 4) floordiv 2)" where "j < i + 33">]>]
func.func @window(%q: !t) -> !t {
  %o = sparse_attn.attention mask(#sparse_attn.sliding_window<left = 32, right = 32>)
      ins(%q, %q, %q : !t, !t, !t) outs(%q : !t) -> !t
  return %o : !t
}

// A global token is a column that all rows visit, and a row that visits all
// columns: a class of its own, heavy, so that it can be split along the keys.
// CHECK-LABEL: func.func @longformer
// CHECK:         rows = [<"0" to "256", segments = [<partial "0" to "1">, {{.*}}]>,
// CHECK-SAME:      <"0" to "1", heavy = true, segments = [<full "0" to "8">]>]
func.func @longformer(%q: !t) -> !t {
  %o = sparse_attn.attention mask(#sparse_attn.longformer<window = 64, global_tokens = [0]>)
      ins(%q, %q, %q : !t, !t, !t) outs(%q : !t) -> !t
  return %o : !t
}

// Random blocks are drawn, not planned: the plan names the draw, and the tiles
// are listed at run time. The pass chooses tiles that are whole blocks, all of
// them full.
// CHECK-LABEL:  func.func @bigbird
// CHECK:          draws = [<partial <block = 16, blocks_per_row = 2, bigbird_radius = 1> "0" to "8">]>
// CHOSEN-LABEL: func.func @bigbird
// CHOSEN:         plan(<tile = [16, 16], rows = [<"0" to "256",
// CHOSEN-SAME:      segments = [<full "0" to "1">, <full "max(1, q - 1)" to "min(15, q + 2)">, <full "15" to "16">],
// CHOSEN-SAME:      draws = [<full <block = 16, blocks_per_row = 2, bigbird_radius = 1> "0" to "16">]>,
// CHOSEN-SAME:      <"0" to "16", heavy = true, segments = [<full "0" to "16">]>,
// CHOSEN-SAME:      <"240" to "256", heavy = true, segments = [<full "0" to "16">]>]>)
func.func @bigbird(%q: !t) -> !t {
  %o = sparse_attn.attention mask(#sparse_attn.bigbird<block = 16, window_blocks = 3, random_blocks = 2>)
      ins(%q, %q, %q : !t, !t, !t) outs(%q : !t) -> !t
  return %o : !t
}

// Chunks of 64 keys are tiles of 64 keys, if the pass may choose.
// CHOSEN-LABEL: func.func @chunked
// CHOSEN:         plan(<tile = [64, 64], rows = [<"0" to "256", segments = [<full "q" to "q + 1">]>]>)
func.func @chunked(%q: !t) -> !t {
  %o = sparse_attn.attention mask(#sparse_attn.chunked<size = 64>)
      ins(%q, %q, %q : !t, !t, !t) outs(%q : !t) -> !t
  return %o : !t
}

// Lengths known only at run time enter as nq and nk. The last key tile may be
// cut by the end of the keys, and so is partial.
// CHECK-LABEL: func.func @dynamic
// CHECK:         rows = [<"0" to "nq", segments = [
// CHECK-SAME:      <full "0" to "max(0, (q * 16 + nk - nq + 1) floordiv 32)">,
// CHECK-SAME:      <partial "max(0, (q * 16 + nk - nq + 1) floordiv 32)" to "min((nk + 31) floordiv 32, (q * 16 + nk - nq + 47) floordiv 32)">]>]
func.func @dynamic(%q: tensor<?x4x?x64xf32>, %k: tensor<?x4x?x64xf32>) -> tensor<?x4x?x64xf32> {
  %o = sparse_attn.attention mask(#sparse_attn.causal)
      ins(%q, %k, %k : tensor<?x4x?x64xf32>, tensor<?x4x?x64xf32>, tensor<?x4x?x64xf32>)
      outs(%q : tensor<?x4x?x64xf32>) -> tensor<?x4x?x64xf32>
  return %o : tensor<?x4x?x64xf32>
}

// The position of a tile of a larger attention is known only at run time: nq
// then stands for nk less that position, whatever the static number of rows.
// CHECK-LABEL: func.func @origin
// CHECK:         rows = [<"0" to "nq", segments = [<full "0" to "max(0, (q * 16 - nq + 257) floordiv 32)">,
func.func @origin(%head: index, %position: index, %q: !t) -> !t {
  %o = sparse_attn.attention mask(#sparse_attn.causal)
      ins(%q, %q, %q : !t, !t, !t) origin(%head, %position) outs(%q : !t) -> !t
  return %o : !t
}

// Tiles of documents are planned as if all tokens were of one, and visited where
// documents are; those that other members see come first, and are visited always.
// CHECK-LABEL: func.func @documents
// CHECK:         segments = [<full "0" to "q floordiv 2" within documents>,
// CHECK-SAME:      <partial "q floordiv 2" to "(q + 2) floordiv 2" within documents>]>]>)
// CHECK:         segments = [<partial "0" to "1">,
// CHECK-SAME:      <full "1" to "max(1, q floordiv 2)" within documents>,
func.func @documents(%q: !t, %ids: tensor<1x256xi32>) -> (!t, !t) {
  %o = sparse_attn.attention mask(#sparse_attn.intersection<#sparse_attn.causal, #sparse_attn.document>)
      ins(%q, %q, %q : !t, !t, !t) data(documents = %ids : tensor<1x256xi32>) outs(%q : !t) -> !t
  %p = sparse_attn.attention mask(#sparse_attn.union<#sparse_attn.prefix<length = 3>,
        #sparse_attn.intersection<#sparse_attn.causal, #sparse_attn.document>>)
      ins(%q, %q, %q : !t, !t, !t) data(documents = %ids : tensor<1x256xi32>) outs(%q : !t) -> !t
  return %o, %p : !t, !t
}

// Tiles beside a window are visited where tokens are listed; beside documents,
// they are visited for either reason.
// CHECK-LABEL: func.func @listed
// CHECK:         segments = [<partial "0" to "max(0, {{.*}})" within listed>,
// CHECK:         segments = [{{.*}} within documents or listed columns>
func.func @listed(%q: !t, %ids: tensor<1x256xi32>, %tokens: tensor<1x3xi32>) -> (!t, !t) {
  %o = sparse_attn.attention mask(#sparse_attn.union<#sparse_attn.sliding_window<left = 40, right = 40>, #sparse_attn.global<listed>>)
      ins(%q, %q, %q : !t, !t, !t) data(global_tokens = %tokens : tensor<1x3xi32>) outs(%q : !t) -> !t
  %p = sparse_attn.attention mask(#sparse_attn.union<#sparse_attn.global<listed, direction = columns>,
        #sparse_attn.intersection<#sparse_attn.causal, #sparse_attn.document>>)
      ins(%q, %q, %q : !t, !t, !t) data(documents = %ids : tensor<1x256xi32>, global_tokens = %tokens : tensor<1x3xi32>) outs(%q : !t) -> !t
  return %o, %p : !t, !t
}

// A plan that stands there already stays.
// CHECK-LABEL: func.func @planned
// CHECK:         plan(<tile = [8, 8], rows = [<"0" to "nq", segments = [<partial "0" to "32">]>]>)
func.func @planned(%q: !t) -> !t {
  %o = sparse_attn.attention mask(#sparse_attn.causal)
      plan(<tile = [8, 8], rows = [<"0" to "nq", segments = [<partial "0" to "32">]>]>)
      ins(%q, %q, %q : !t, !t, !t) outs(%q : !t) -> !t
  return %o : !t
}

// -----

!t = tensor<1x4x256x64xf32>

// A mask without a live pair is legal but hardly ever meant.
// CHECK-LABEL: func.func @empty
// CHECK:         plan(<tile = [16, 32], rows = [<"0" to "256">]>)
func.func @empty(%q: !t) -> !t {
  // expected-warning@below {{the mask leaves every query without a key: the output will be all zeros; check the mask's bounds and the lengths 256 x 256}}
  %o = sparse_attn.attention mask(#sparse_attn.complement<#sparse_attn.full>)
      ins(%q, %q, %q : !t, !t, !t) outs(%q : !t) -> !t
  return %o : !t
}
