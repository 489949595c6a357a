// RUN: sparse-attn-opt %s --sparse-attn-results-to-arguments -split-input-file -verify-diagnostics

// expected-error @below {{'func.func' op has control flow; its results are made arguments in functions of one block only}}
func.func @blocks(%in: memref<4xf32>) -> memref<4xf32> {
  cf.br ^end
^end:
  return %in : memref<4xf32>
}

// -----

// expected-error @below {{'func.func' op returns 'tensor<4xf32>'; only buffers are made arguments: bufferise first}}
func.func @tensors(%in: tensor<4xf32>) -> tensor<4xf32> {
  return %in : tensor<4xf32>
}
