// RUN: sparse-attn-opt %s --sparse-attn-tile-registers --canonicalize --cse | FileCheck %s

func.func @product(%a: tensor<64x16xf32>, %b: tensor<16x48xf32>, %c: tensor<64x48xf32>) -> tensor<64x48xf32> {
  %r = linalg.generic {
      indexing_maps = [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (k, n)>,
                       affine_map<(m, n, k) -> (m, n)>],
      iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%a, %b : tensor<64x16xf32>, tensor<16x48xf32>) outs(%c : tensor<64x48xf32>) {
  ^bb0(%x: f32, %y: f32, %z: f32):
    %p = arith.mulf %x, %y : f32
    %s = arith.addf %z, %p : f32
    linalg.yield %s : f32
  } -> tensor<64x48xf32>
  return %r : tensor<64x48xf32>
}

// A block of 8 rows by 3 vectors of C is in 24 registers.
// CHECK: scf.for %[[M:[a-z0-9]+]] = %c0 to %c64 step %c8 {{.*}} {
// CHECK:   %[[ACC:.*]]:24 = scf.for %[[K:[a-z0-9]+]] = %c0 to %c16 step %c1 iter_args({{.*}}) {{.*}} {
// CHECK:     %[[B0:.*]] = vector.transfer_read %{{.*}}[%[[K]], %c0], {{.*}} vector<16xf32>
// CHECK:     %[[X:.*]] = tensor.extract %{{.*}}[%[[M]], %[[K]]] : tensor<64x16xf32>
// CHECK:     %[[XS:.*]] = vector.broadcast %[[X]] : f32 to vector<16xf32>
// CHECK:     vector.fma %[[XS]], %[[B0]], %{{.*}} : vector<16xf32>
// CHECK:   vector.transfer_write %[[ACC]]#0, %{{.*}}[%[[M]], %c0]
