// Functions of several kinds in one file.

!q = tensor<?x?x?x64xbf16>
!v = tensor<?x?x?x32xbf16>
!lse = tensor<?x?x?xf32>

// Every size is known at run time only; a heavy row, so three launches.
func.func @dynamic(%q: !q, %k: !q, %v: !v) -> (!v, !lse) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %b = tensor.dim %q, %c0 : !q
  %h = tensor.dim %q, %c1 : !q
  %s = tensor.dim %q, %c2 : !q
  %oi = tensor.empty(%b, %h, %s) : !v
  %li = tensor.empty(%b, %h, %s) : !lse
  %o, %l = sparse_attn.attention
    mask(#sparse_attn.longformer<window = 128, global_tokens = [0]>)
    ins(%q, %k, %v : !q, !q, !v) outs(%oi, %li : !v, !lse) -> !v, !lse
  return %o, %l : !v, !lse
}

!t = tensor<1x4x256x64xf16>

// Nothing is; the result is written into an argument. No name for a file.
func.func @"../in place"(%q: !t, %kv: !t, %init: !t) -> !t {
  %o = sparse_attn.attention mask(#sparse_attn.causal) scale(0.5) softcap(30.0)
    ins(%q, %kv, %kv : !t, !t, !t) outs(%init : !t) -> !t
  return %o : !t
}

// Has no attention, and is in no package.
func.func @none(%x: tensor<4xf32>) -> tensor<4xf32> {
  return %x : tensor<4xf32>
}
