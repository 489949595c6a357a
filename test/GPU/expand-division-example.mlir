// RUN: sparse-attn-opt %s --sparse-attn-expand-division | FileCheck %s

gpu.module @kernels {
  func.func @tile(%x: index) -> index {
    %c64 = arith.constant 64 : index
    %t = arith.floordivsi %x, %c64 : index
    return %t : index
  }
}

// CHECK:      func.func @tile(%[[X:.*]]: index) -> index {
// CHECK:        %[[T:.*]] = arith.shrsi %[[X]], %c6 : index
// CHECK-NEXT:   return %[[T]] : index
