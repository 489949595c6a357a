// RUN: sparse-attn-opt %s --sparse-attn-steps-to-tiles --canonicalize | FileCheck %s

func.func @tile(%q: tensor<32x16xbf16>, %k: tensor<8x16xbf16>, %v: tensor<8x16xbf16>,
                %out: tensor<32x16xbf16>, %row: index, %key: index) -> tensor<32x16xbf16> {
  %s = sparse_attn.initial_state : <32x16xbf16, trusting>
  %n = sparse_attn.step %s ins(%q, %k, %v : tensor<32x16xbf16>, tensor<8x16xbf16>, tensor<8x16xbf16>)
      at(%row, %key) keys(8) scale(2.5e-01) : <32x16xbf16, trusting>
  %e = sparse_attn.settle %n : <32x16xbf16, trusting> -> <32x16xbf16>
  %o = sparse_attn.finish %e scale(2.5e-01) outs(%out : tensor<32x16xbf16>) : <32x16xbf16>
  return %o : tensor<32x16xbf16>
}

// S = Q K^T, queries by keys
// CHECK: %[[S:.*]] = linalg.contract {{.*}} ins(%{{.*}}, %{{.*}} : tensor<32x16xbf16>, tensor<8x16xbf16>) outs(%{{.*}} : tensor<32x8xf32>) -> tensor<32x8xf32>
// m, a value a row
// CHECK: linalg.generic {{.*}} ins(%[[S]] : tensor<32x8xf32>) outs(%{{.*}} : tensor<32xf32>)
// CHECK:   arith.maxnumf
// P = exp2(S c - m c), rounded to the type of V
// CHECK: math.exp2
// CHECK: arith.truncf %{{.*}} : f32 to bf16
// CHECK: linalg.contract {{.*}} ins(%{{.*}}, %{{.*}} : tensor<32x8xbf16>, tensor<8x16xbf16>) outs(%{{.*}} : tensor<32x16xf32>) -> tensor<32x16xf32>
// CHECK: arith.divf
