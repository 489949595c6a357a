// What the tests of the Python package call: sizes known at run time, two results,
// a workspace, a result in an argument, fixed sizes.

!q = tensor<?x?x?x64xf32>
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
    mask(#sparse_attn.longformer<window = 64, global_tokens = [0]>)
    ins(%q, %k, %v : !q, !q, !q) outs(%oi, %li : !q, !lse) -> !q, !lse
  return %o, %l : !q, !lse
}

!h = tensor<?x?x?x32xbf16>

func.func @causal_bf16(%q: !h, %k: !h, %v: !h) -> !h {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %b = tensor.dim %q, %c0 : !h
  %h = tensor.dim %q, %c1 : !h
  %s = tensor.dim %q, %c2 : !h
  %init = tensor.empty(%b, %h, %s) : !h
  %o = sparse_attn.attention mask(#sparse_attn.causal)
    ins(%q, %k, %v : !h, !h, !h) outs(%init : !h) -> !h
  return %o : !h
}

!d = tensor<?x4x?x16xf16>

func.func @in_place(%q: !d, %k: !d, %v: !d, %init: !d) -> !d {
  %o = sparse_attn.attention mask(#sparse_attn.causal)
    ins(%q, %k, %v : !d, !d, !d) outs(%init : !d) -> !d
  return %o : !d
}

!t = tensor<1x2x64x64xf32>

func.func @causal_64(%q: !t, %k: !t, %v: !t) -> !t {
  %init = tensor.empty() : !t
  %o = sparse_attn.attention mask(#sparse_attn.causal)
    ins(%q, %k, %v : !t, !t, !t) outs(%init : !t) -> !t
  return %o : !t
}
