// RUN: sparse-attn-opt %s --sparse-attn-results-to-arguments | FileCheck %s

func.func @f(%x: f32, %init: memref<4xf32>) -> (memref<4xf32>, memref<4xf32>) {
  %c0 = arith.constant 0 : index
  %o = memref.alloc() : memref<4xf32>
  memref.store %x, %o[%c0] : memref<4xf32>
  return %o, %init : memref<4xf32>, memref<4xf32>
}

// CHECK:      func.func @f(%[[X:.*]]: f32, %[[INIT:.*]]: memref<4xf32>, %[[O:.*]]: memref<4xf32>)
// CHECK-SAME:     attributes {{{.*}}sparse_attn.result_places = array<i64: 2, 1>} {
// CHECK:        memref.store %[[X]], %[[O]][%c0] : memref<4xf32>
// CHECK-NEXT:   return
