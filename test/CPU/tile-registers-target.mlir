// A level of processors stands for its lanes and registers.
//
// RUN: sparse-attn-opt %s --sparse-attn-tile-registers="target=x86-64-v3" -o %t.level
// RUN: sparse-attn-opt %s --sparse-attn-tile-registers="lanes=8 registers=16" -o %t.numbers
// RUN: diff %t.level %t.numbers
// RUN: FileCheck %s --input-file=%t.level
// RUN: not sparse-attn-opt %s --sparse-attn-tile-registers="target=x86-64-v9" 2>&1 | FileCheck %s --check-prefix=LEVEL
// RUN: not sparse-attn-opt %s --sparse-attn-cpu-pipeline="target=x86-64-v9" 2>&1 | FileCheck %s --check-prefix=PIPELINE
//
// LEVEL: error: unknown level 'x86-64-v9'; vectors are made for x86-64-v2, x86-64-v3, x86-64-v4, armv8-a
// PIPELINE: error: unknown target 'x86-64-v9'; code is made for x86-64-v2, x86-64-v3, x86-64-v4, armv8-a

// CHECK-LABEL: func.func @product
// CHECK:         vector<8xf32>
func.func @product(%a: tensor<64x32xf32>, %b: tensor<64x48xf32>, %c: tensor<32x48xf32>) -> tensor<32x48xf32> {
  %0 = linalg.generic {indexing_maps = [affine_map<(m, n, k) -> (k, m)>, affine_map<(m, n, k) -> (k, n)>,
                                        affine_map<(m, n, k) -> (m, n)>],
                       iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%a, %b : tensor<64x32xf32>, tensor<64x48xf32>) outs(%c : tensor<32x48xf32>) {
  ^bb0(%x: f32, %y: f32, %z: f32):
    %1 = arith.mulf %x, %y : f32
    %2 = arith.addf %z, %1 : f32
    linalg.yield %2 : f32
  } -> tensor<32x48xf32>
  return %0 : tensor<32x48xf32>
}
