// Heads that no power of two divides, and ones whose values are cut into slices.

!t = tensor<?x?x?x40xf16>
func.func @heads_of_40(%q: !t, %k: !t, %v: !t, %init: !t) -> !t {
  %o = sparse_attn.attention mask(#sparse_attn.causal)
      ins(%q, %k, %v : !t, !t, !t) outs(%init : !t) -> !t
  return %o : !t
}

!q = tensor<?x?x?x328xf16>
!v = tensor<?x?x?x264xf16>
!l = tensor<?x?x?xf32>
func.func @heads_of_328(%q: !q, %k: !q, %v: !v, %init: !v, %lse: !l) -> (!v, !l) {
  %o, %l = sparse_attn.attention mask(#sparse_attn.causal)
      ins(%q, %k, %v : !q, !q, !v) outs(%init, %lse : !v, !l) -> !v, !l
  return %o, %l : !v, !l
}
