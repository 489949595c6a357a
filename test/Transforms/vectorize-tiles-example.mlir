// RUN: sparse-attn-opt %s --sparse-attn-vectorize-tiles --canonicalize | FileCheck %s

func.func @exponentials(%tiles: tensor<4x32x16xf32>, %n: index, %zero: tensor<32x16xf32>) -> tensor<32x16xf32> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %r = scf.for %t = %c0 to %n step %c1 iter_args(%sum = %zero) -> (tensor<32x16xf32>) {
    %tile = tensor.extract_slice %tiles[%t, 0, 0] [1, 32, 16] [1, 1, 1] : tensor<4x32x16xf32> to tensor<32x16xf32>
    %next = linalg.generic {
        indexing_maps = [affine_map<(m, n) -> (m, n)>, affine_map<(m, n) -> (m, n)>],
        iterator_types = ["parallel", "parallel"]}
        ins(%tile : tensor<32x16xf32>) outs(%sum : tensor<32x16xf32>) {
    ^bb0(%s: f32, %a: f32):
      %p = math.exp2 %s : f32
      %b = arith.addf %a, %p : f32
      linalg.yield %b : f32
    } -> tensor<32x16xf32>
    scf.yield %next : tensor<32x16xf32>
  }
  return %r : tensor<32x16xf32>
}

// CHECK: scf.for
// CHECK:   %[[S:.*]] = vector.transfer_read {{.*}} vector<32x16xf32>
// CHECK:   %[[A:.*]] = vector.transfer_read {{.*}} vector<32x16xf32>
// CHECK:   %[[P:.*]] = math.exp2 %[[S]] : vector<32x16xf32>
// CHECK:   %[[B:.*]] = arith.addf %[[A]], %[[P]] : vector<32x16xf32>
