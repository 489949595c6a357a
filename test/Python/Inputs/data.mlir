// Attention as models have it: a static cache whose sequences have lengths of
// their own, and sinks; ragged sequences with a bias; ALiBi by slopes; documents of
// a packed sequence; Longformer, whose global tokens are those of each sequence; a
// cache whose front was dropped; pages; padding on the left.

!q = tensor<?x8x?x32xf32>
!kv = tensor<?x4x?x32xf32>
!lse = tensor<?x8x?xf32>

func.func @cached(%q: !q, %k: !kv, %v: !kv, %lengths: tensor<?xi32>, %sinks: tensor<8xf32>) -> (!q, !lse) {
  %c0 = arith.constant 0 : index
  %c2 = arith.constant 2 : index
  %b = tensor.dim %q, %c0 : !q
  %sq = tensor.dim %q, %c2 : !q
  %init = tensor.empty(%b, %sq) : !q
  %init_lse = tensor.empty(%b, %sq) : !lse
  %o:2 = sparse_attn.attention mask(#sparse_attn.intersection<#sparse_attn.causal, #sparse_attn.sliding_window<left = 15, right = 0>>)
      ins(%q, %k, %v : !q, !kv, !kv)
      data(key_lengths = %lengths : tensor<?xi32>, sinks = %sinks : tensor<8xf32>)
      outs(%init, %init_lse : !q, !lse) -> !q, !lse
  return %o#0, %o#1 : !q, !lse
}

!t = tensor<?x2x?x16xf32>

func.func @ragged(%q: !t, %k: !t, %v: !t, %queries: tensor<?xi32>, %keys: tensor<?xi32>, %bias: tensor<2x?x?xf32>) -> !t {
  %c0 = arith.constant 0 : index
  %c2 = arith.constant 2 : index
  %b = tensor.dim %q, %c0 : !t
  %sq = tensor.dim %q, %c2 : !t
  %init = tensor.empty(%b, %sq) : !t
  %o = sparse_attn.attention mask(#sparse_attn.causal) ins(%q, %k, %v : !t, !t, !t)
      data(query_lengths = %queries : tensor<?xi32>, key_lengths = %keys : tensor<?xi32>, bias = %bias : tensor<2x?x?xf32>)
      outs(%init : !t) -> !t
  return %o : !t
}

!s = tensor<1x4x?x8xf32>

func.func @alibi(%q: !s, %k: !s, %v: !s, %slopes: tensor<4xf32>) -> !s {
  %c2 = arith.constant 2 : index
  %sq = tensor.dim %q, %c2 : !s
  %init = tensor.empty(%sq) : !s
  %o = sparse_attn.attention mask(#sparse_attn.causal) ins(%q, %k, %v : !s, !s, !s)
      data(slopes = %slopes : tensor<4xf32>) outs(%init : !s) -> !s
  return %o : !s
}

!p = tensor<1x4x?x64xbf16>
!pkv = tensor<1x2x?x64xbf16>

func.func @packed(%q: !p, %k: !pkv, %v: !pkv, %ids: tensor<1x?xi32>) -> !p {
  %c2 = arith.constant 2 : index
  %sq = tensor.dim %q, %c2 : !p
  %init = tensor.empty(%sq) : !p
  %o = sparse_attn.attention mask(#sparse_attn.intersection<#sparse_attn.causal, #sparse_attn.document>)
      ins(%q, %k, %v : !p, !pkv, !pkv) data(documents = %ids : tensor<1x?xi32>) outs(%init : !p) -> !p
  return %o : !p
}

func.func @longformer(%q: !t, %k: !t, %v: !t, %tokens: tensor<?x?xi32>) -> !t {
  %c0 = arith.constant 0 : index
  %c2 = arith.constant 2 : index
  %b = tensor.dim %q, %c0 : !t
  %sq = tensor.dim %q, %c2 : !t
  %init = tensor.empty(%b, %sq) : !t
  %o = sparse_attn.attention mask(#sparse_attn.union<#sparse_attn.sliding_window<left = 16, right = 16>, #sparse_attn.global<listed>>)
      ins(%q, %k, %v : !t, !t, !t) data(global_tokens = %tokens : tensor<?x?xi32>) outs(%init : !t) -> !t
  return %o : !t
}

!c = tensor<?x4x?x32xf32>
!ckv = tensor<?x2x?x32xf32>

// A cache whose front was dropped: slot 0 stands at %first, and rows at %row.
func.func @sliding(%q: !c, %k: !ckv, %v: !ckv, %lengths: tensor<?xi32>, %row: tensor<?xi64>, %first: tensor<i64>) -> !c {
  %c0 = arith.constant 0 : index
  %c2 = arith.constant 2 : index
  %b = tensor.dim %q, %c0 : !c
  %sq = tensor.dim %q, %c2 : !c
  %init = tensor.empty(%b, %sq) : !c
  %o = sparse_attn.attention mask(#sparse_attn.streaming<sinks = 4, window = 20>) ins(%q, %k, %v : !c, !ckv, !ckv)
      data(key_lengths = %lengths : tensor<?xi32>, query_position = %row : tensor<?xi64>, key_position = %first : tensor<i64>)
      outs(%init : !c) -> !c
  return %o : !c
}

!pool = tensor<?x2x32x32xf32>

// A cache in pages.
func.func @paged(%q: !c, %k: !pool, %v: !pool, %table: tensor<?x?xi32>, %lengths: tensor<?xi32>, %bias: tensor<?xf32>) -> !c {
  %c0 = arith.constant 0 : index
  %c2 = arith.constant 2 : index
  %b = tensor.dim %q, %c0 : !c
  %sq = tensor.dim %q, %c2 : !c
  %init = tensor.empty(%b, %sq) : !c
  %o = sparse_attn.attention mask(#sparse_attn.causal) ins(%q, %k, %v : !c, !pool, !pool)
      data(page_table = %table : tensor<?x?xi32>, key_lengths = %lengths : tensor<?xi32>, bias = %bias : tensor<?xf32>)
      outs(%init : !c) -> !c
  return %o : !c
}

// Padding on the left.
func.func @padded(%q: !c, %k: !ckv, %v: !ckv, %begin: tensor<?xi32>) -> !c {
  %c0 = arith.constant 0 : index
  %c2 = arith.constant 2 : index
  %b = tensor.dim %q, %c0 : !c
  %sq = tensor.dim %q, %c2 : !c
  %init = tensor.empty(%b, %sq) : !c
  %o = sparse_attn.attention mask(#sparse_attn.causal) ins(%q, %k, %v : !c, !ckv, !ckv)
      data(key_begin = %begin : tensor<?xi32>) outs(%init : !c) -> !c
  return %o : !c
}

!r = tensor<2x2x?x16xf32>

// A bias by the relative position, from a table, and nothing from 32 on.
func.func @relative(%q: !r, %k: !r, %v: !r, %table: tensor<2x33xf32>) -> !r {
  %c2 = arith.constant 2 : index
  %sq = tensor.dim %q, %c2 : !r
  %init = tensor.empty(%sq) : !r
  %o = sparse_attn.attention mask(#sparse_attn.causal) ins(%q, %k, %v : !r, !r, !r)
      data(extra = %table : tensor<2x33xf32>) outs(%init : !r) score {
      ^bb0(%s: f32, %b: index, %h: index, %i: index, %j: index):
        %c0 = arith.constant 0 : index
        %c32 = arith.constant 32 : index
        %distance = arith.subi %i, %j : index
        %least = arith.maxsi %distance, %c0 : index
        %place = arith.minsi %least, %c32 : index
        %more = tensor.extract %table[%h, %place] : tensor<2x33xf32>
        %t = arith.addf %s, %more : f32
        sparse_attn.yield %t : f32
      } -> !r
  return %o : !r
}
