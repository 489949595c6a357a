// Heads that no power of two divides, and ones whose values are cut into slices.

!t = tensor<?x?x?x40xf16>
func.func @heads_of_40(%q: !t, %k: !t, %v: !t) -> !t {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %b = tensor.dim %q, %c0 : !t
  %h = tensor.dim %q, %c1 : !t
  %s = tensor.dim %q, %c2 : !t
  %init = tensor.empty(%b, %h, %s) : !t
  %o = sparse_attn.attention mask(#sparse_attn.causal)
      ins(%q, %k, %v : !t, !t, !t) outs(%init : !t) -> !t
  return %o : !t
}

!q = tensor<?x?x?x328xf16>
!v = tensor<?x?x?x264xf16>
!l = tensor<?x?x?xf32>
func.func @heads_of_328(%q: !q, %k: !q, %v: !v) -> (!v, !l) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %b = tensor.dim %q, %c0 : !q
  %h = tensor.dim %q, %c1 : !q
  %s = tensor.dim %q, %c2 : !q
  %init = tensor.empty(%b, %h, %s) : !v
  %lse = tensor.empty(%b, %h, %s) : !l
  %o, %l = sparse_attn.attention mask(#sparse_attn.causal)
      ins(%q, %k, %v : !q, !q, !v) outs(%init, %lse : !v, !l) -> !v, !l
  return %o, %l : !v, !l
}
