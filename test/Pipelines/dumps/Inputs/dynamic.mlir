// Sizes known at run time only, LSE, 16-bit elements, a heavy row.

!t = tensor<?x?x?x16xbf16>
!lse = tensor<?x?x?xf32>

func.func @dynamic(%q: !t, %k: !t, %v: !t, %o: !t, %l: !lse) -> (!t, !lse) {
  %0:2 = sparse_attn.attention
      mask(#sparse_attn.longformer<window = 16, global_tokens = [0]>)
      ins(%q, %k, %v : !t, !t, !t) outs(%o, %l : !t, !lse) -> !t, !lse
  return %0#0, %0#1 : !t, !lse
}
