// Steps whose scores a region makes anew: what they yield is scaled, so that is_trusted
// has scale(1.0).
//
// RUN: sparse-attn-opt %s --sparse-attn-trust-steps | FileCheck %s

!tile = tensor<16x16xf16>
!state = !sparse_attn.state<16x16xf16>

// Loops with one region become one, as they do without.
//
// CHECK-LABEL: func.func @same
// CHECK:         sparse_attn.is_trusted %{{.*}} rows(%{{.*}}) scale(1.000000e+00)
// CHECK:         } else {
// CHECK:           scf.for
// CHECK:             sparse_attn.step {{.*}} scale(2.500000e-01) score(%{{.*}}, %{{.*}}) {
// CHECK:               math.tanh
// CHECK:             } mask {
// CHECK-NOT:       scf.for
// CHECK:         sparse_attn.finish
func.func @same(%q: !tile, %k: tensor<64x16xf16>, %o: !tile, %b: index, %h: index) -> !tile {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c16 = arith.constant 16 : index
  %s = sparse_attn.initial_state : !state
  %p = scf.for %n = %b to %h step %c1 iter_args(%x = %s) -> (!state) {
    %key = arith.muli %n, %c16 : index
    %kt = tensor.extract_slice %k[%key, 0] [16, 16] [1, 1] : tensor<64x16xf16> to !tile
    %y = sparse_attn.step %x ins(%q, %kt, %kt : !tile, !tile, !tile) at(%c0, %key) keys(16) scale(0.25) score(%b, %h) {
      ^bb0(%score: f32, %batch: index, %head: index, %i: i32, %j: i32):
        %t = math.tanh %score : f32
        sparse_attn.yield %t : f32
      } mask {
      ^bb0(%i: i32, %j: i32):
        %allowed = arith.cmpi sle, %j, %i : i32
        sparse_attn.yield %allowed : i1
      } : !state
    scf.yield %y : !state
  }
  %f = scf.for %n = %c0 to %b step %c1 iter_args(%x = %p) -> (!state) {
    %key = arith.muli %n, %c16 : index
    %kt = tensor.extract_slice %k[%key, 0] [16, 16] [1, 1] : tensor<64x16xf16> to !tile
    %y = sparse_attn.step %x ins(%q, %kt, %kt : !tile, !tile, !tile) at(%c0, %key) keys(16) scale(0.25) score(%b, %h) {
      ^bb0(%score: f32, %batch: index, %head: index, %i: i32, %j: i32):
        %t = math.tanh %score : f32
        sparse_attn.yield %t : f32
      } : !state
    scf.yield %y : !state
  }
  %r = sparse_attn.finish %f scale(1.0) outs(%o : !tile) : !state
  return %r : !tile
}

// Loops with different ones are repeated as they are.
//
// CHECK-LABEL: func.func @different
// CHECK:         } else {
// CHECK:           scf.for
// CHECK:             sparse_attn.step {{.*}} scale(2.500000e-01) score(%{{.*}}, %{{.*}}) {
// CHECK:               math.tanh
// CHECK:             } mask {
// CHECK:           scf.for
// CHECK:             sparse_attn.step {{.*}} scale(1.000000e+00) : <16x16xf16>
// CHECK:         sparse_attn.finish
func.func @different(%q: !tile, %k: tensor<64x16xf16>, %o: !tile, %b: index, %h: index) -> !tile {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c16 = arith.constant 16 : index
  %s = sparse_attn.initial_state : !state
  %p = scf.for %n = %b to %h step %c1 iter_args(%x = %s) -> (!state) {
    %key = arith.muli %n, %c16 : index
    %kt = tensor.extract_slice %k[%key, 0] [16, 16] [1, 1] : tensor<64x16xf16> to !tile
    %y = sparse_attn.step %x ins(%q, %kt, %kt : !tile, !tile, !tile) at(%c0, %key) keys(16) scale(0.25) score(%b, %h) {
      ^bb0(%score: f32, %batch: index, %head: index, %i: i32, %j: i32):
        %t = math.tanh %score : f32
        sparse_attn.yield %t : f32
      } mask {
      ^bb0(%i: i32, %j: i32):
        %allowed = arith.cmpi sle, %j, %i : i32
        sparse_attn.yield %allowed : i1
      } : !state
    scf.yield %y : !state
  }
  %f = scf.for %n = %c0 to %b step %c1 iter_args(%x = %p) -> (!state) {
    %key = arith.muli %n, %c16 : index
    %kt = tensor.extract_slice %k[%key, 0] [16, 16] [1, 1] : tensor<64x16xf16> to !tile
    %y = sparse_attn.step %x ins(%q, %kt, %kt : !tile, !tile, !tile) at(%c0, %key) keys(16) scale(1.0) : !state
    scf.yield %y : !state
  }
  %r = sparse_attn.finish %f scale(1.0) outs(%o : !tile) : !state
  return %r : !tile
}
