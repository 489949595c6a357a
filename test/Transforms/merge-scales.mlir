// States are merged by the scale that they were made with; that of results is 1.
//
// RUN: sparse-attn-opt %s --split-input-file --verify-diagnostics --sparse-attn-steps-to-lanes

func.func @merge(%o: tensor<16x64xf32>, %l: tensor<16xf32>) -> tensor<16x64xf32> {
  // expected-note@below {{the state is made here}}
  %s = sparse_attn.result_state %o, %l : tensor<16x64xf32>, tensor<16xf32> -> !sparse_attn.state<16x64xf32>
  // expected-error@below {{must have scale(1.000000e+00), which its state is left with, got scale(5.000000e-01)}}
  %m = sparse_attn.merge_states %s, %s scale(0.5) : !sparse_attn.state<16x64xf32>
  %r = sparse_attn.finish %m scale(0.5) outs(%o : tensor<16x64xf32>) : !sparse_attn.state<16x64xf32>
  return %r : tensor<16x64xf32>
}

// -----

func.func @finish(%o: tensor<16x64xf32>, %l: tensor<16xf32>) -> tensor<16x64xf32> {
  // expected-note@below {{the state is made here}}
  %s = sparse_attn.result_state %o, %l : tensor<16x64xf32>, tensor<16xf32> -> !sparse_attn.state<16x64xf32>
  %m = sparse_attn.merge_states %s, %s scale(1.0) : !sparse_attn.state<16x64xf32>
  // expected-error@below {{must have scale(1.000000e+00), which its state is left with, got scale(5.000000e-01)}}
  %r = sparse_attn.finish %m scale(0.5) outs(%o : tensor<16x64xf32>) : !sparse_attn.state<16x64xf32>
  return %r : tensor<16x64xf32>
}
