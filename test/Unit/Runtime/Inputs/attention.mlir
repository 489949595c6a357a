// A heavy row and sizes that are known at run time only: several launches and a
// workspace. Then the same tensors' types with fixed and with dynamic sizes, and
// heads so large that kernels need more than 48 KiB of shared memory.

!q = tensor<?x?x?x64xbf16>
!lse = tensor<?x?x?xf32>

func.func @longformer(%q: !q, %k: !q, %v: !q) -> (!q, !lse) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %b = tensor.dim %q, %c0 : !q
  %h = tensor.dim %q, %c1 : !q
  %s = tensor.dim %q, %c2 : !q
  %oi = tensor.empty(%b, %h, %s) : !q
  %li = tensor.empty(%b, %h, %s) : !lse
  %o, %l = sparse_attn.attention
    mask(#sparse_attn.longformer<window = 128, global_tokens = [0]>)
    ins(%q, %k, %v : !q, !q, !q) outs(%oi, %li : !q, !lse) -> !q, !lse
  return %o, %l : !q, !lse
}

!d = tensor<?x4x?x128xf16>

func.func @causal(%q: !d, %k: !d, %v: !d, %init: !d) -> !d {
  %o = sparse_attn.attention mask(#sparse_attn.causal)
    ins(%q, %k, %v : !d, !d, !d) outs(%init : !d) -> !d
  return %o : !d
}

!t = tensor<2x4x256x128xf16>

func.func @causal_256(%q: !t, %k: !t, %v: !t, %init: !t) -> !t {
  %o = sparse_attn.attention mask(#sparse_attn.causal)
    ins(%q, %k, %v : !t, !t, !t) outs(%init : !t) -> !t
  return %o : !t
}
