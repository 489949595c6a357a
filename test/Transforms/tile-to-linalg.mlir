// Loops over the tiles of a plan, with exact steps as linalg on f32 tiles, queries along
// the rows, for back ends that this project does not know.
//
// RUN: sparse-attn-opt %s --sparse-attn-tile-to-linalg="heavy-splits=4" --canonicalize | FileCheck %s

// CHECK-LABEL: func.func @causal
// CHECK-SAME:    %[[Q:[a-z0-9]+]]: tensor<1x4x64x16xbf16>, %[[K:[a-z0-9]+]]: tensor<1x2x128x16xbf16>, %[[V:[a-z0-9]+]]: tensor<1x2x128x24xbf16>
// CHECK-DAG:     %[[SAFE:.*]] = arith.constant 9.31322574E-10 : f32
// CHECK:         scf.forall (%[[H:.*]], %[[T:.*]]) in (4, 4)
// CHECK:           linalg.generic {{.*}} outs(%{{.*}} : tensor<16x16xf32>)
// CHECK:             arith.extf
// Weights are so small from the start that no sum of values is too large:
// CHECK:           %[[FACTOR:.*]] = linalg.fill ins(%[[SAFE]] : f32) {{.*}} -> tensor<16xf32>
// CHECK:           %[[P:.*]]:3 = scf.for {{.*}} -> (tensor<16xf32>, tensor<16xf32>, tensor<16x24xf32>)
// CHECK:             linalg.generic {{.*}} ins(%{{.*}} : tensor<16x16xf32>, tensor<32x16xf32>) outs(%{{.*}} : tensor<16x32xf32>)
// CHECK:             arith.cmpi slt
// CHECK:             math.exp
// CHECK:             linalg.generic {{.*}} ins(%[[FACTOR]] : tensor<16xf32>) outs(%{{.*}} : tensor<16x32xf32>)
// CHECK:             math.fma
// CHECK:           %[[F:.*]]:3 = scf.for {{.*}} iter_args(%{{.*}} = %[[P]]#0, %{{.*}} = %[[P]]#1, %{{.*}} = %[[P]]#2)
// CHECK-NOT:         arith.cmpi
// CHECK:           linalg.generic {{.*}} ins(%[[F]]#2, %{{.*}} : tensor<16x24xf32>, tensor<16xf32>)
// CHECK:             arith.divf
// CHECK:             arith.truncf
// CHECK-NOT:     scf.while
// CHECK-NOT:     sparse_attn.
// CHECK:         return
func.func @causal(%q: tensor<1x4x64x16xbf16>, %k: tensor<1x2x128x16xbf16>, %v: tensor<1x2x128x24xbf16>,
                  %init: tensor<1x4x64x24xbf16>) -> tensor<1x4x64x24xbf16> {
  %o = sparse_attn.attention mask(#sparse_attn.causal)
      plan(<tile = [16, 32], rows = [<"0" to "64", segments = [
             <full "0" to "(q * 16 + 65) floordiv 32">,
             <partial "(q * 16 + 65) floordiv 32" to "(q * 16 + 111) floordiv 32">]>]>)
      ins(%q, %k, %v : tensor<1x4x64x16xbf16>, tensor<1x2x128x16xbf16>, tensor<1x2x128x24xbf16>)
      outs(%init : tensor<1x4x64x24xbf16>) -> tensor<1x4x64x24xbf16>
  return %o : tensor<1x4x64x24xbf16>
}
