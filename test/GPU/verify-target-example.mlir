// RUN: sparse-attn-opt %s --sparse-attn-verify-target --verify-diagnostics

!t = tensor<1x2x64x20xbf16>
func.func @odd_heads(%q: !t, %init: !t) -> !t {
  // expected-error@below {{has a head size of 20 for its query; kernels for GPUs need a multiple of 8 up to 576: pad it with zeros, and keep the scale}}
  %o = sparse_attn.attention mask(#sparse_attn.causal) ins(%q, %q, %q : !t, !t, !t) outs(%init : !t) -> !t
  return %o : !t
}
