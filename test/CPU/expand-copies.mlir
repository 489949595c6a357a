// Copies of strided buffers become loops, not calls into a runtime library.
//
// RUN: sparse-attn-opt %s --sparse-attn-expand-copies | FileCheck %s

// CHECK-LABEL: func.func @strided
// CHECK-SAME:    %[[FROM:[a-z0-9]+]]: memref<4x8xf32, strided<[16, 1]>>, %[[TO:[a-z0-9]+]]: memref<4x8xf32>
// CHECK-NOT:     memref.copy
// CHECK:         linalg.generic {{.*}} ins(%[[FROM]] : {{.*}}) outs(%[[TO]] :
func.func @strided(%from: memref<4x8xf32, strided<[16, 1]>>, %to: memref<4x8xf32>) {
  memref.copy %from, %to : memref<4x8xf32, strided<[16, 1]>> to memref<4x8xf32>
  return
}

// So does a copy into a strided buffer.
//
// CHECK-LABEL: func.func @into_strided
// CHECK:         linalg.generic
func.func @into_strided(%from: memref<?xf32>, %to: memref<?xf32, strided<[?], offset: ?>>) {
  memref.copy %from, %to : memref<?xf32> to memref<?xf32, strided<[?], offset: ?>>
  return
}

// Contiguous buffers are copied as bytes, as before: also where the layout says
// so only by its strides.
//
// CHECK-LABEL: func.func @contiguous
// CHECK-COUNT-2: memref.copy
func.func @contiguous(%from: memref<4x8xf32>, %view: memref<4x8xf32, strided<[8, 1], offset: 64>>,
                      %to: memref<4x8xf32>) {
  memref.copy %from, %to : memref<4x8xf32> to memref<4x8xf32>
  memref.copy %view, %to : memref<4x8xf32, strided<[8, 1], offset: 64>> to memref<4x8xf32>
  return
}
