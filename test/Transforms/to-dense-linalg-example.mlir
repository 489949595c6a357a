// RUN: sparse-attn-opt %s --sparse-attn-to-dense-linalg --canonicalize | FileCheck %s

!t = tensor<1x1x16x8xf32>
func.func @causal(%q: !t, %k: !t, %v: !t, %init: !t) -> !t {
  %o = sparse_attn.attention mask(#sparse_attn.causal) ins(%q, %k, %v : !t, !t, !t) outs(%init : !t) -> !t
  return %o : !t
}

// S = scale Q K^T
// CHECK: %[[QK:.*]] = linalg.generic {{.*}} ins(%{{.*}} : tensor<1x1x16x8xf32>) outs(%{{.*}} : tensor<1x1x16x16xf32>)
// CHECK:   arith.mulf
// CHECK:   arith.addf
// CHECK: %[[SCALED:.*]] = linalg.generic {{.*}} outs(%[[QK]] : tensor<1x1x16x16xf32>)
// CHECK:   arith.mulf
// The mask, evaluated on every pair
// CHECK: %[[S:.*]] = linalg.generic
// CHECK:   %[[LIVE:.*]] = arith.cmpi slt, %{{.*}}, %{{.*}} : i32
// CHECK:   arith.select %[[LIVE]]
// Softmax in two passes
// CHECK: linalg.generic {{.*}} ins(%[[S]] : tensor<1x1x16x16xf32>) outs(%{{.*}} : tensor<1x1x16xf32>)
// CHECK:   arith.maxnumf
// CHECK: %[[P:.*]] = linalg.generic {{.*}} outs(%[[S]] : tensor<1x1x16x16xf32>)
// CHECK:   math.exp
// CHECK: %[[L:.*]] = linalg.generic {{.*}} ins(%[[P]] : tensor<1x1x16x16xf32>) outs(%{{.*}} : tensor<1x1x16xf32>)
// CHECK:   arith.addf
// The weights, divided before they multiply: a mean of values is finite where their sum is not
// CHECK: %[[W:.*]] = linalg.generic {{.*}} ins(%[[L]] : tensor<1x1x16xf32>) outs(%[[P]] : tensor<1x1x16x16xf32>)
// CHECK:   arith.divf
// The second product
// CHECK: %[[O:.*]] = linalg.generic {{.*}} ins(%[[W]] : tensor<1x1x16x16xf32>) outs(%{{.*}} : tensor<1x1x16x8xf32>)
// CHECK:   arith.mulf
