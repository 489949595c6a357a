// Steps as linalg on f32 tiles with the queries in the lanes: scores are keys x queries,
// the accumulator is values x queries; what leaves a loop nest has its rows outermost.
//
// RUN: sparse-attn-opt %s --sparse-attn-visit-tiles=heavy-splits=4 --sparse-attn-steps-to-lanes --canonicalize | FileCheck %s

// CHECK-LABEL: func.func @heavy
// CHECK:         scf.forall
// CHECK:           %[[QT:.*]] = linalg.generic {{.*}} outs(%{{.*}} : tensor<16x32xf32>)
// CHECK:             arith.extf
// CHECK-NEXT:        arith.mulf %{{.*}}, %{{.*}} : f32
// CHECK:           %[[S:.*]]:3 = scf.for {{.*}} -> (tensor<32xf32>, tensor<32xf32>, tensor<8x32xf32>)
// CHECK:             linalg.generic {{.*}} ins(%{{.*}}, %[[QT]] : tensor<16x16xf32>, tensor<16x32xf32>)
// CHECK:             math.exp
// CHECK:           linalg.generic {{.*}} ins(%[[S]]#2 : tensor<8x32xf32>) outs(%{{.*}} : tensor<32x8xf32>)
// CHECK-NOT:     sparse_attn.
// CHECK:         scf.forall
// CHECK:           scf.for {{.*}} -> (tensor<32xf32>, tensor<32xf32>, tensor<8x32xf32>)
// CHECK:             linalg.generic {{.*}} ins(%{{.*}} : tensor<32x8xf32>) outs(%{{.*}} : tensor<8x32xf32>)
// CHECK:             arith.maxnumf
// CHECK:           linalg.generic {{.*}} outs(%{{.*}} : tensor<32x8xbf16>)
// CHECK:             arith.divf
// CHECK:             arith.truncf
// CHECK-NOT:     sparse_attn.
// CHECK:         return
func.func @heavy(%q: tensor<1x1x32x16xbf16>, %v: tensor<1x1x32x8xbf16>) -> tensor<1x1x32x8xbf16> {
  %init = tensor.empty() : tensor<1x1x32x8xbf16>
  %o = sparse_attn.attention mask(#sparse_attn.full)
      plan(<tile = [32, 16], rows = [<"0" to "32", heavy = true, segments = [<full "0" to "2">]>]>)
      ins(%q, %q, %v : tensor<1x1x32x16xbf16>, tensor<1x1x32x16xbf16>, tensor<1x1x32x8xbf16>)
      outs(%init : tensor<1x1x32x8xbf16>) -> tensor<1x1x32x8xbf16>
  return %o : tensor<1x1x32x8xbf16>
}
