// RUN: sparse-attn-opt %s --sparse-attn-lower-kernels="op-pipelines=gpu.module(sparse-attn-expand-division)" | FileCheck %s

gpu.module @f_kernels attributes {sparse_attn.kernels} {
  func.func @tile(%x: index) -> index {
    %c64 = arith.constant 64 : index
    %q = arith.floordivsi %x, %c64 : index
    return %q : index
  }
}
gpu.module @theirs {
  func.func @tile(%x: index) -> index {
    %c64 = arith.constant 64 : index
    %q = arith.floordivsi %x, %c64 : index
    return %q : index
  }
}

// CHECK: gpu.module @f_kernels attributes {sparse_attn.kernels} {
// CHECK:   arith.shrsi
// CHECK: gpu.module @theirs {
// CHECK:   arith.floordivsi
