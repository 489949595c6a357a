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

func.func @scattered(%tile: memref<4x8xf32>, %to: memref<?x8xf32>, %at: memref<4xi32>) {
  sparse_attn.write_rows %tile into %to at %at : memref<4x8xf32>, memref<4xi32> into memref<?x8xf32>
  return
}

// CHECK:      func.func @scattered(%[[TILE:.*]]: memref<4x8xf32>, %[[TO:.*]]: memref<?x8xf32>, %[[AT:.*]]: memref<4xi32>) {
// CHECK:        %[[ROWS:.*]] = memref.dim %[[TO]]
// CHECK:        scf.for %[[M:.*]] = %{{.*}} to %c4
// CHECK-NEXT:     %[[P:.*]] = memref.load %[[AT]][%[[M]]]
// CHECK-NEXT:     %[[ROW:.*]] = arith.index_cast %[[P]]
// CHECK-NEXT:     %[[EXISTS:.*]] = arith.cmpi ult, %[[ROW]], %[[ROWS]]
// CHECK-NEXT:     scf.if %[[EXISTS]]
// CHECK-DAG:        memref.subview %[[TILE]][%[[M]], 0] [1, 8] [1, 1]
// CHECK-DAG:        memref.subview %[[TO]][%[[ROW]], 0] [1, 8] [1, 1]
// CHECK:            memref.copy
