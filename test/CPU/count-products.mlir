// What is no product of tiles of known sizes in a loop is not counted, and nothing is
// without the option.
//
// RUN: sparse-attn-opt %s --sparse-attn-count-products | FileCheck %s
// RUN: sparse-attn-opt %s --sparse-attn-cpu-pipeline=count-products=true | FileCheck %s --check-prefix=PIPELINE
// RUN: sparse-attn-opt %s --sparse-attn-cpu-pipeline | FileCheck %s --check-prefix=OFF

// CHECK-LABEL: func.func @others
// CHECK-NOT:   llvm.call
func.func @others(%a: tensor<8x16xf32>, %b: tensor<16x32xf32>, %c: tensor<8x32xf32>,
                  %d: tensor<?x16xf32>, %e: tensor<?x32xf32>, %n: index)
    -> (tensor<8x32xf32>, tensor<?x32xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  // A caller's own product.
  %x = linalg.matmul ins(%a, %b : tensor<8x16xf32>, tensor<16x32xf32>)
      outs(%c : tensor<8x32xf32>) -> tensor<8x32xf32>
  // One of a size that is known at run time only.
  %y = scf.for %i = %c0 to %n step %c1 iter_args(%s = %e) -> tensor<?x32xf32> {
    %p = linalg.matmul ins(%d, %b : tensor<?x16xf32>, tensor<16x32xf32>)
        outs(%s : tensor<?x32xf32>) -> tensor<?x32xf32>
    scf.yield %p : tensor<?x32xf32>
  }
  return %x, %y : tensor<8x32xf32>, tensor<?x32xf32>
}

// Both products of a tile: K Q^T, and V^T P.
//
// PIPELINE-LABEL: llvm.func @attention
// PIPELINE:       llvm.call @sparse_attn_count_multiply_adds
// PIPELINE:       llvm.call @sparse_attn_count_multiply_adds
// OFF-NOT:        sparse_attn_count_multiply_adds
func.func @attention(%q: tensor<1x2x64x16xf32>) -> tensor<1x2x64x16xf32> {
  %init = tensor.empty() : tensor<1x2x64x16xf32>
  %o = sparse_attn.attention mask(#sparse_attn.causal)
      ins(%q, %q, %q : tensor<1x2x64x16xf32>, tensor<1x2x64x16xf32>, tensor<1x2x64x16xf32>)
      outs(%init : tensor<1x2x64x16xf32>) -> tensor<1x2x64x16xf32>
  return %o : tensor<1x2x64x16xf32>
}
