// What a state comes to has the scale that its steps have left: theirs, or 1 behind a
// score region. Every decomposition checks it, through loops and branches.
//
// RUN: sparse-attn-opt %s --sparse-attn-steps-to-lanes --split-input-file --verify-diagnostics
// RUN: sparse-attn-opt %s --sparse-attn-steps-to-tiles --split-input-file --verify-diagnostics
// RUN: sparse-attn-opt %s --sparse-attn-tile-to-linalg --split-input-file --verify-diagnostics

func.func @score_region(%q: tensor<16x16xf16>, %o: tensor<16x16xf16>, %at: index) -> tensor<16x16xf16> {
  %s = sparse_attn.initial_state : !sparse_attn.state<16x16xf16>
  // expected-note@below {{this step applies its own scale before its score region}}
  %r = sparse_attn.step %s ins(%q, %q, %q : tensor<16x16xf16>, tensor<16x16xf16>, tensor<16x16xf16>)
      at(%at, %at) keys(16) scale(0.25) score(%at, %at) {
      ^bb0(%x: f32, %b: index, %h: index, %i: i32, %j: i32):
        sparse_attn.yield %x : f32
      } : !sparse_attn.state<16x16xf16>
  // expected-error@below {{must have scale(1.000000e+00), which its state is left with, got scale(2.500000e-01)}}
  %f = sparse_attn.finish %r scale(0.25) outs(%o : tensor<16x16xf16>) : !sparse_attn.state<16x16xf16>
  return %f : tensor<16x16xf16>
}

// -----

func.func @in_a_loop(%q: tensor<16x16xf16>, %o: tensor<16x16xf16>, %n: index, %c: i1) -> tensor<16x16xf16> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %s = sparse_attn.initial_state : !sparse_attn.state<16x16xf16>
  %r = scf.for %t = %c0 to %n step %c1 iter_args(%m = %s) -> (!sparse_attn.state<16x16xf16>) {
    %x = scf.if %c -> (!sparse_attn.state<16x16xf16>) {
      // expected-note@below {{the state is made here}}
      %y = sparse_attn.step %m ins(%q, %q, %q : tensor<16x16xf16>, tensor<16x16xf16>, tensor<16x16xf16>)
          at(%t, %t) keys(16) scale(0.5) : !sparse_attn.state<16x16xf16>
      scf.yield %y : !sparse_attn.state<16x16xf16>
    } else {
      scf.yield %m : !sparse_attn.state<16x16xf16>
    }
    scf.yield %x : !sparse_attn.state<16x16xf16>
  }
  // expected-error@below {{must have scale(5.000000e-01), which its state is left with, got scale(2.500000e-01)}}
  %f = sparse_attn.finish %r scale(0.25) outs(%o : tensor<16x16xf16>) : !sparse_attn.state<16x16xf16>
  return %f : tensor<16x16xf16>
}

// -----

func.func @stored(%m: tensor<1x2x16xf32>, %a: tensor<1x2x16x16xf32>, %o: tensor<16x16xf32>, %at: index) -> tensor<16x16xf32> {
  // expected-note@below {{the state is made here}}
  %s = sparse_attn.merge_stored %m, %m, %a[%at] scale(0.25)
      : tensor<1x2x16xf32>, tensor<1x2x16xf32>, tensor<1x2x16x16xf32> -> !sparse_attn.state<16x16xf32>
  // expected-error@below {{must have scale(2.500000e-01), which its state is left with, got scale(1.000000e+00)}}
  %f = sparse_attn.finish %s scale(1.0) outs(%o : tensor<16x16xf32>) : !sparse_attn.state<16x16xf32>
  return %f : tensor<16x16xf32>
}

// -----

// Two states that one loop carries have each a scale of their own.
func.func @two_states(%q: tensor<16x16xf16>, %o: tensor<16x16xf16>, %n: index, %c: i1) -> (i1, tensor<16x16xf16>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c16 = arith.constant 16 : index
  %s = sparse_attn.initial_state : !sparse_attn.state<16x16xf16, trusting>
  %u = sparse_attn.initial_state : !sparse_attn.state<16x16xf16>
  %r:2 = scf.for %t = %c0 to %n step %c1 iter_args(%m = %s, %v = %u) -> (!sparse_attn.state<16x16xf16, trusting>, !sparse_attn.state<16x16xf16>) {
    // expected-note@below {{the state is made here}}
    %x = sparse_attn.step %m ins(%q, %q, %q : tensor<16x16xf16>, tensor<16x16xf16>, tensor<16x16xf16>)
        at(%t, %t) keys(16) scale(0.5) : !sparse_attn.state<16x16xf16, trusting>
    %y = sparse_attn.step %v ins(%q, %q, %q : tensor<16x16xf16>, tensor<16x16xf16>, tensor<16x16xf16>)
        at(%t, %t) keys(16) scale(0.25) : !sparse_attn.state<16x16xf16>
    scf.yield %x, %y : !sparse_attn.state<16x16xf16, trusting>, !sparse_attn.state<16x16xf16>
  }
  %f = sparse_attn.finish %r#1 scale(0.25) outs(%o : tensor<16x16xf16>) : !sparse_attn.state<16x16xf16>
  // expected-error@below {{must have scale(5.000000e-01), which its state is left with, got scale(2.500000e-01)}}
  %t = sparse_attn.is_trusted %r#0 rows(%c16) scale(0.25) : !sparse_attn.state<16x16xf16, trusting>
  return %t, %f : i1, tensor<16x16xf16>
}
