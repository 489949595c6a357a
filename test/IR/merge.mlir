// sparse_attn.merge: its text, and its errors.
//
// RUN: sparse-attn-opt %s --split-input-file --verify-diagnostics | FileCheck %s

// CHECK-LABEL: func.func @merge
// CHECK:         sparse_attn.merge ins(%{{.*}}, %{{.*}}, %{{.*}}, %{{.*}} : tensor<1x8x?x64xf16>, tensor<1x8x?xf32>, tensor<1x8x256x64xf16>, tensor<1x8x256xf32>)
// CHECK-SAME:      outs(%{{.*}}, %{{.*}} : tensor<?x8x256x64xf16>, tensor<?x8x256xf32>) -> tensor<?x8x256x64xf16>, tensor<?x8x256xf32>
func.func @merge(%x: tensor<1x8x?x64xf16>, %lx: tensor<1x8x?xf32>, %y: tensor<1x8x256x64xf16>, %ly: tensor<1x8x256xf32>,
                 %o: tensor<?x8x256x64xf16>, %l: tensor<?x8x256xf32>) -> (tensor<?x8x256x64xf16>, tensor<?x8x256xf32>) {
  %r:2 = sparse_attn.merge
      ins(%x, %lx, %y, %ly : tensor<1x8x?x64xf16>, tensor<1x8x?xf32>, tensor<1x8x256x64xf16>, tensor<1x8x256xf32>)
      outs(%o, %l : tensor<?x8x256x64xf16>, tensor<?x8x256xf32>) -> tensor<?x8x256x64xf16>, tensor<?x8x256xf32>
  return %r#0, %r#1 : tensor<?x8x256x64xf16>, tensor<?x8x256xf32>
}

// -----

func.func @integers(%o: tensor<1x8x256x64xi32>, %l: tensor<1x8x256xf32>) {
  // expected-error@below {{element type of the destination must be f16, bf16 or f32, got 'i32'}}
  %r:2 = sparse_attn.merge
      ins(%o, %l, %o, %l : tensor<1x8x256x64xi32>, tensor<1x8x256xf32>, tensor<1x8x256x64xi32>, tensor<1x8x256xf32>)
      outs(%o, %l : tensor<1x8x256x64xi32>, tensor<1x8x256xf32>) -> tensor<1x8x256x64xi32>, tensor<1x8x256xf32>
  return
}

// -----

func.func @types(%x: tensor<1x8x256x64xf32>, %o: tensor<1x8x256x64xf16>, %l: tensor<1x8x256xf32>) {
  // expected-error@below {{outputs and destination must share one element type, got 'f32' for the second output and 'f16' for the destination}}
  %r:2 = sparse_attn.merge
      ins(%o, %l, %x, %l : tensor<1x8x256x64xf16>, tensor<1x8x256xf32>, tensor<1x8x256x64xf32>, tensor<1x8x256xf32>)
      outs(%o, %l : tensor<1x8x256x64xf16>, tensor<1x8x256xf32>) -> tensor<1x8x256x64xf16>, tensor<1x8x256xf32>
  return
}

// -----

func.func @rank(%x: tensor<8x256x64xf32>, %o: tensor<1x8x256x64xf32>, %l: tensor<1x8x256xf32>) {
  // expected-error@below {{first output must be [batch, query heads, queries, value head size], the last of them static, got 'tensor<8x256x64xf32>'}}
  %r:2 = sparse_attn.merge
      ins(%x, %l, %o, %l : tensor<8x256x64xf32>, tensor<1x8x256xf32>, tensor<1x8x256x64xf32>, tensor<1x8x256xf32>)
      outs(%o, %l : tensor<1x8x256x64xf32>, tensor<1x8x256xf32>) -> tensor<1x8x256x64xf32>, tensor<1x8x256xf32>
  return
}

// -----

func.func @dynamic_size(%o: tensor<1x8x256x?xf32>, %l: tensor<1x8x256xf32>) {
  // expected-error@below {{destination must be [batch, query heads, queries, value head size], the last of them static, got 'tensor<1x8x256x?xf32>'}}
  %r:2 = sparse_attn.merge
      ins(%o, %l, %o, %l : tensor<1x8x256x?xf32>, tensor<1x8x256xf32>, tensor<1x8x256x?xf32>, tensor<1x8x256xf32>)
      outs(%o, %l : tensor<1x8x256x?xf32>, tensor<1x8x256xf32>) -> tensor<1x8x256x?xf32>, tensor<1x8x256xf32>
  return
}

// -----

func.func @lse_type(%o: tensor<1x8x256x64xf16>, %h: tensor<1x8x256xf16>, %l: tensor<1x8x256xf32>) {
  // expected-error@below {{log-sum-exp of the first output must be [batch, query heads, queries] of f32, got 'tensor<1x8x256xf16>'}}
  %r:2 = sparse_attn.merge
      ins(%o, %h, %o, %l : tensor<1x8x256x64xf16>, tensor<1x8x256xf16>, tensor<1x8x256x64xf16>, tensor<1x8x256xf32>)
      outs(%o, %l : tensor<1x8x256x64xf16>, tensor<1x8x256xf32>) -> tensor<1x8x256x64xf16>, tensor<1x8x256xf32>
  return
}

// -----

func.func @sizes(%x: tensor<1x8x255x64xf32>, %lx: tensor<1x8x255xf32>, %o: tensor<1x8x256x64xf32>, %l: tensor<1x8x256xf32>) {
  // expected-error@below {{sizes of the second output ('tensor<1x8x255x64xf32>' with 'tensor<1x8x255xf32>') differ from those of the destination, 'tensor<1x8x256x64xf32>'}}
  %r:2 = sparse_attn.merge
      ins(%o, %l, %x, %lx : tensor<1x8x256x64xf32>, tensor<1x8x256xf32>, tensor<1x8x255x64xf32>, tensor<1x8x255xf32>)
      outs(%o, %l : tensor<1x8x256x64xf32>, tensor<1x8x256xf32>) -> tensor<1x8x256x64xf32>, tensor<1x8x256xf32>
  return
}

// -----

func.func @lse_sizes(%lx: tensor<1x8x255xf32>, %o: tensor<1x8x256x64xf32>, %l: tensor<1x8x256xf32>) {
  // expected-error@below {{sizes of the first output ('tensor<1x8x256x64xf32>' with 'tensor<1x8x255xf32>') differ from those of the destination, 'tensor<1x8x256x64xf32>'}}
  %r:2 = sparse_attn.merge
      ins(%o, %lx, %o, %l : tensor<1x8x256x64xf32>, tensor<1x8x255xf32>, tensor<1x8x256x64xf32>, tensor<1x8x256xf32>)
      outs(%o, %l : tensor<1x8x256x64xf32>, tensor<1x8x256xf32>) -> tensor<1x8x256x64xf32>, tensor<1x8x256xf32>
  return
}

// -----

func.func @too_long(%o: tensor<1x1x1073741824x64xf32>, %l: tensor<1x1x1073741824xf32>) {
  // expected-error@below {{sequences must be shorter than 1073741824, got 'tensor<1x1x1073741824x64xf32>'}}
  %r:2 = sparse_attn.merge
      ins(%o, %l, %o, %l : tensor<1x1x1073741824x64xf32>, tensor<1x1x1073741824xf32>, tensor<1x1x1073741824x64xf32>, tensor<1x1x1073741824xf32>)
      outs(%o, %l : tensor<1x1x1073741824x64xf32>, tensor<1x1x1073741824xf32>) -> tensor<1x1x1073741824x64xf32>, tensor<1x1x1073741824xf32>
  return
}

// -----

func.func @state_type(%o: tensor<?x64xi32>, %l: tensor<?xf32>) {
  // expected-error@below {{output must be of f16, bf16 or f32, got 'i32'}}
  %s = sparse_attn.result_state %o, %l : tensor<?x64xi32>, tensor<?xf32> -> !sparse_attn.state<32x64xf32>
  return
}

// -----

func.func @state_size(%o: tensor<?x32xf32>, %l: tensor<?xf32>) {
  // expected-error@below {{output must be a tile of rows of 64 elements of 'f32', got 'tensor<?x32xf32>'}}
  %s = sparse_attn.result_state %o, %l : tensor<?x32xf32>, tensor<?xf32> -> !sparse_attn.state<32x64xf32>
  return
}

// -----

func.func @state_lse(%o: tensor<16x64xf32>, %l: tensor<17xf32>) {
  // expected-error@below {{log-sum-exp must be f32, one a row of the output, got 'tensor<17xf32>'}}
  %s = sparse_attn.result_state %o, %l : tensor<16x64xf32>, tensor<17xf32> -> !sparse_attn.state<32x64xf32>
  return
}

// -----

func.func @state_trusting(%o: tensor<16x64xf32>, %l: tensor<16xf32>) {
  // expected-error@below {{takes an exact state, got '!sparse_attn.state<32x64xf32, trusting>'; settle it first}}
  %s = sparse_attn.result_state %o, %l : tensor<16x64xf32>, tensor<16xf32> -> !sparse_attn.state<32x64xf32, trusting>
  return
}

// -----

func.func @merge_trusting(%s: !sparse_attn.state<32x64xf32, trusting>) {
  // expected-error@below {{takes an exact state, got '!sparse_attn.state<32x64xf32, trusting>'; settle it first}}
  %r = sparse_attn.merge_states %s, %s scale(1.0) : !sparse_attn.state<32x64xf32, trusting>
  return
}

// -----

func.func @merge_scale(%s: !sparse_attn.state<32x64xf32>) {
  // expected-error@below {{scale must be finite in f32, got 1.000000e+40}}
  %r = sparse_attn.merge_states %s, %s scale(1.0e40) : !sparse_attn.state<32x64xf32>
  return
}
