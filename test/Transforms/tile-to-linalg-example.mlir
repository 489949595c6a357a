// RUN: sparse-attn-opt %s --sparse-attn-plan="tile-queries=16 tile-keys=32" --sparse-attn-tile-to-linalg --canonicalize \
// RUN:   | FileCheck %s

!t = tensor<1x4x64x16xf32>
func.func @causal(%q: !t, %k: !t, %v: !t, %init: !t) -> !t {
  %o = sparse_attn.attention mask(#sparse_attn.causal) ins(%q, %k, %v : !t, !t, !t) outs(%init : !t) -> !t
  return %o : !t
}

// CHECK: scf.forall ({{.*}}) in (4, 4) shared_outs({{.*}}) -> (tensor<1x4x64x16xf32>) {
// CHECK:   %[[P:.*]]:3 = scf.for {{.*}} -> (tensor<16xf32>, tensor<16xf32>, tensor<16x16xf32>) {
// Scores, the mask, the running maximum and its effect, the row sum, the second product
// CHECK:     linalg.generic {{.*}} outs(%{{.*}} : tensor<16x32xf32>)
// CHECK:     arith.cmpi slt
// CHECK:     arith.maxnumf
// CHECK:     math.exp
// CHECK:     arith.addf
// CHECK:     linalg.generic {{.*}} outs(%{{.*}} : tensor<16x16xf32>)
// CHECK:     scf.yield
// CHECK:   %[[F:.*]]:3 = scf.for {{.*}} iter_args(%{{.*}} = %[[P]]#0, %{{.*}} = %[[P]]#1, %{{.*}} = %[[P]]#2) {{.*}} {
// CHECK:     linalg.generic {{.*}} outs(%{{.*}} : tensor<16x32xf32>)
// CHECK:     scf.yield
// CHECK:   arith.divf
// CHECK:   tensor.parallel_insert_slice {{.*}} into tensor<1x4x64x16xf32>
