// RUN: sparse-attn-opt %s --sparse-attn-count-products | FileCheck %s

#rows = affine_map<(m, n, k) -> (m, k)>
#columns = affine_map<(m, n, k) -> (k, n)>
#result = affine_map<(m, n, k) -> (m, n)>

func.func @products(%a: tensor<8x16xf32>, %b: tensor<16x32xf32>, %c: tensor<8x32xf32>, %n: index) -> tensor<8x32xf32> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %r = scf.for %i = %c0 to %n step %c1 iter_args(%x = %c) -> tensor<8x32xf32> {
    %y = linalg.generic {indexing_maps = [#rows, #columns, #result],
                         iterator_types = ["parallel", "parallel", "reduction"]}
        ins(%a, %b : tensor<8x16xf32>, tensor<16x32xf32>) outs(%x : tensor<8x32xf32>) {
      ^bb0(%p: f32, %q: f32, %s: f32):
        %t = arith.mulf %p, %q : f32
        %u = arith.addf %s, %t : f32
        linalg.yield %u : f32
      } -> tensor<8x32xf32>
    scf.yield %y : tensor<8x32xf32>
  }
  return %r : tensor<8x32xf32>
}

// CHECK: llvm.func @sparse_attn_count_multiply_adds(i64)
// CHECK: scf.for
// 8 x 32 x 16
// CHECK:   %[[COUNT:.*]] = arith.constant 4096 : i64
// CHECK:   llvm.call @sparse_attn_count_multiply_adds(%[[COUNT]]) : (i64) -> ()
// CHECK:   linalg.generic
