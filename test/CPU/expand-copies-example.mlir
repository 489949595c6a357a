// RUN: sparse-attn-opt %s --sparse-attn-expand-copies | FileCheck %s

func.func @rows(%from: memref<4x8xf32, strided<[16, 1]>>, %to: memref<4x8xf32>) {
  memref.copy %from, %to : memref<4x8xf32, strided<[16, 1]>> to memref<4x8xf32>
  return
}

// CHECK:      func.func @rows(%[[FROM:.*]]: memref<4x8xf32, strided<[16, 1]>>, %[[TO:.*]]: memref<4x8xf32>) {
// CHECK-NEXT:   linalg.generic {{.*}} ins(%[[FROM]] : memref<4x8xf32, strided<[16, 1]>>) outs(%[[TO]] : memref<4x8xf32>) {
// CHECK-NEXT:   ^bb0(%[[IN:.*]]: f32, %[[OUT:.*]]: f32):
// CHECK-NEXT:     linalg.yield %[[IN]] : f32
// CHECK-NEXT:   }
