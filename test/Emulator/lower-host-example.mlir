// RUN: sparse-attn-opt %s --sparse-attn-lower-host | FileCheck %s

func.func @host(%a: memref<4xf32>) {
  %c0 = arith.constant 0 : index
  %x = memref.load %a[%c0] : memref<4xf32>
  llvm.call @kernel(%x) : (f32) -> ()
  return
}
llvm.func internal @kernel(%x: f32) {
  %zero = llvm.mlir.constant(0 : i32) : i32
  %same = llvm.add %zero, %zero : i32
  llvm.return
}

// CHECK:      llvm.func @host(%{{.*}}: !llvm.ptr, %[[A:.*]]: !llvm.ptr, %{{.*}}: i64, %{{.*}}: i64, %{{.*}}: i64)
// CHECK:      %[[X:.*]] = llvm.load %{{.*}} : !llvm.ptr -> f32
// CHECK-NEXT: llvm.call @kernel(%[[X]]) : (f32) -> ()
// CHECK:      llvm.func internal @kernel(%{{.*}}: f32) {
// CHECK-NEXT: %[[ZERO:.*]] = llvm.mlir.constant(0 : i32) : i32
// CHECK-NEXT: llvm.add %[[ZERO]], %[[ZERO]] : i32
// CHECK-NEXT: llvm.return
