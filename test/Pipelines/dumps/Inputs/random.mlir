// Random blocks and heavy rows, two query heads a key head, static sizes.

!q = tensor<2x2x40x16xf32>
!kv = tensor<2x1x40x16xf32>

func.func @random(%q: !q, %k: !kv, %v: !kv) -> !q {
  %init = tensor.empty() : !q
  %o = sparse_attn.attention
      mask(#sparse_attn.bigbird<block = 8, window_blocks = 1, random_blocks = 1>)
      ins(%q, %k, %v : !q, !kv, !kv) outs(%init : !q) -> !q
  return %o : !q
}
