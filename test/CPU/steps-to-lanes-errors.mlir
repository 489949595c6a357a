// RUN: sparse-attn-opt %s --sparse-attn-steps-to-lanes --verify-diagnostics

// No sum of f16 is too large, so their steps have nothing to run again with.
func.func @restart(%s: !sparse_attn.state<32x16xf16, trusting>, %o: tensor<32x16xf16>) -> tensor<32x16xf16> {
  // expected-error@+2 {{failed to legalize}}
  // expected-error@below {{cannot run the same steps again on this target; give an exact state}}
  %r = sparse_attn.restart %s : !sparse_attn.state<32x16xf16, trusting> -> !sparse_attn.state<32x16xf16, trusting>
  %e = sparse_attn.settle %r : !sparse_attn.state<32x16xf16, trusting> -> !sparse_attn.state<32x16xf16>
  %f = sparse_attn.finish %e scale(0.25) outs(%o : tensor<32x16xf16>) : !sparse_attn.state<32x16xf16>
  return %f : tensor<32x16xf16>
}
