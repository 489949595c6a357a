// RUN: sparse-attn-opt %s --sparse-attn-steps-to-lanes --canonicalize | FileCheck %s

func.func @tile(%q: tensor<32x16xf16>, %k: tensor<8x16xf16>, %v: tensor<8x16xf16>,
                %out: tensor<32x16xf16>, %row: index, %key: index) -> tensor<32x16xf16> {
  %s = sparse_attn.initial_state : <32x16xf16, trusting>
  %n = sparse_attn.step %s ins(%q, %k, %v : tensor<32x16xf16>, tensor<8x16xf16>, tensor<8x16xf16>)
      at(%row, %key) keys(8) scale(2.5e-01) mask {
    ^bb0(%i: i32, %j: i32):
      %allowed = arith.cmpi sle, %j, %i : i32
      sparse_attn.yield %allowed : i1
    } : <32x16xf16, trusting>
  %e = sparse_attn.settle %n : <32x16xf16, trusting> -> <32x16xf16>
  %o = sparse_attn.finish %e scale(2.5e-01) outs(%out : tensor<32x16xf16>) : <32x16xf16>
  return %o : tensor<32x16xf16>
}

// Q^T, times the power of two of the scale
// CHECK: %[[QT:.*]] = linalg.generic {{.*}} outs(%{{.*}} : tensor<16x32xf32>)
// CHECK:   arith.mulf
// S = K Q^T, keys by queries
// CHECK: %[[KQ:.*]] = linalg.generic {{.*}} ins(%{{.*}}, %[[QT]] : tensor<8x16xf32>, tensor<16x32xf32>) outs(%{{.*}} : tensor<8x32xf32>)
// CHECK: %[[S:.*]] = linalg.generic {{.*}} outs(%[[KQ]] : tensor<8x32xf32>)
// CHECK:   arith.cmpi sle
// CHECK:   arith.select
// m, a value a query
// CHECK: linalg.generic {{.*}} ins(%[[S]] : tensor<8x32xf32>) outs(%{{.*}} : tensor<32xf32>)
// CHECK:   arith.maxnumf
// P = exp(S - m), A += V^T P
// CHECK: %[[P:.*]] = linalg.generic {{.*}} outs(%[[S]] : tensor<8x32xf32>)
// CHECK:   math.exp
// CHECK: linalg.generic {{.*}} ins(%{{.*}}, %[[P]] : tensor<8x16xf32>, tensor<8x32xf32>) outs(%{{.*}} : tensor<16x32xf32>)
// O = A / l, queries outermost again
// CHECK: linalg.generic {{.*}} outs(%{{.*}} : tensor<32x16xf16>)
// CHECK:   arith.divf
