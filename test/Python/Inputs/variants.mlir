// Two masks, by the lengths.
!t = tensor<?x?x?x16xf32>
func.func @by_lengths(%q: !t, %k: !t, %v: !t) -> !t {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %b = tensor.dim %q, %c0 : !t
  %h = tensor.dim %q, %c1 : !t
  %sq = tensor.dim %q, %c2 : !t
  %sk = tensor.dim %k, %c2 : !t
  %init = tensor.empty(%b, %h, %sq) : !t
  %square = arith.cmpi eq, %sq, %sk : index
  %o = scf.if %square -> (!t) {
    %x = sparse_attn.attention mask(#sparse_attn.causal)
        ins(%q, %k, %v : !t, !t, !t) outs(%init : !t) -> !t
    scf.yield %x : !t
  } else {
    %x = sparse_attn.attention mask(#sparse_attn.full)
        ins(%q, %k, %v : !t, !t, !t) outs(%init : !t) -> !t
    scf.yield %x : !t
  }
  return %o : !t
}

// Faster kernels where both lengths are multiples of 16.
func.func @bigbird(%q: !t, %k: !t, %v: !t) -> !t {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %b = tensor.dim %q, %c0 : !t
  %h = tensor.dim %q, %c1 : !t
  %sq = tensor.dim %q, %c2 : !t
  %init = tensor.empty(%b, %h, %sq) : !t
  %o = sparse_attn.attention
      mask(#sparse_attn.bigbird<block = 16, window_blocks = 3, random_blocks = 1>)
      ins(%q, %k, %v : !t, !t, !t) outs(%init : !t) -> !t
  return %o : !t
}

// Tiles of several heads for few rows, and parts where a device has room for more blocks.
func.func @causal(%q: !t, %k: !t, %v: !t) -> !t {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %b = tensor.dim %q, %c0 : !t
  %h = tensor.dim %q, %c1 : !t
  %sq = tensor.dim %q, %c2 : !t
  %init = tensor.empty(%b, %h, %sq) : !t
  %o = sparse_attn.attention mask(#sparse_attn.causal)
      ins(%q, %k, %v : !t, !t, !t) outs(%init : !t) -> !t
  return %o : !t
}
