// A step with a score region where it stands, queries along the rows.
//
// RUN: sparse-attn-opt %s --sparse-attn-tile-to-linalg --canonicalize | FileCheck %s

// CHECK-LABEL: func.func @capped
// CHECK-DAG:     %[[REST:.*]] = arith.constant 1.200000e+00 : f32
// CHECK:         linalg.generic {{.*}} outs(%{{.*}} : tensor<32x16xf32>)
// CHECK:         ^bb0(%[[S:[a-z0-9]+]]: f32):
// CHECK-NEXT:      %[[SCALED:.*]] = arith.mulf %[[S]], %[[REST]] : f32
// CHECK-NEXT:      %[[TANH:.*]] = math.tanh %[[SCALED]]
// CHECK-NEXT:      linalg.yield %[[TANH]]
// CHECK:           %[[X:.*]] = arith.subf
// CHECK-NEXT:      math.exp %[[X]] fastmath<afn>
func.func @capped(%q: tensor<32x8xf32>, %k: tensor<16x8xf32>, %v: tensor<16x16xf32>, %o: tensor<32x16xf32>,
                  %b: index) -> tensor<32x16xf32> {
  %s = sparse_attn.initial_state : !sparse_attn.state<32x16xf32>
  %r = sparse_attn.step %s ins(%q, %k, %v : tensor<32x8xf32>, tensor<16x8xf32>, tensor<16x16xf32>)
      at(%b, %b) keys(16) scale(0.3) score(%b, %b) {
      ^bb0(%x: f32, %batch: index, %head: index, %i: i32, %j: i32):
        %tanh = math.tanh %x : f32
        sparse_attn.yield %tanh : f32
      } : !sparse_attn.state<32x16xf32>
  %f = sparse_attn.finish %r scale(1.0) outs(%o : tensor<32x16xf32>) : !sparse_attn.state<32x16xf32>
  return %f : tensor<32x16xf32>
}
