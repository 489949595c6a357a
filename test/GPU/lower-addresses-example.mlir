// RUN: sparse-attn-opt %s --sparse-attn-lower-addresses | FileCheck %s

// The address of a view's element is arithmetic on the buffer's own; an addition that is
// none of an address stays as it is, though it would fold.
gpu.module @f_kernels attributes {sparse_attn.kernels} {
  func.func @tile(%buffer: memref<64x32xf32>, %row: index, %q: index) -> (f32, i32) {
    %c1 = arith.constant 1 : i32
    %two = arith.addi %c1, %c1 : i32
    %from = affine.apply affine_map<(d0)[s0] -> (d0 * 16 + s0)>(%q)[%row]
    %view = memref.subview %buffer[%from, 0] [16, 32] [1, 1]
      : memref<64x32xf32> to memref<16x32xf32, strided<[32, 1], offset: ?>>
    %c3 = arith.constant 3 : index
    %x = memref.load %view[%c3, %c3] : memref<16x32xf32, strided<[32, 1], offset: ?>>
    return %x, %two : f32, i32
  }
}

// CHECK-LABEL: func.func @tile
// CHECK-SAME:    %[[BUFFER:.*]]: memref<64x32xf32>, %[[ROW:.*]]: index, %[[Q:.*]]: index
// CHECK:         arith.addi %{{.*}}, %{{.*}} : i32
// CHECK-DAG:     %[[C32:.*]] = arith.constant 32 : index
// CHECK-DAG:     %[[C512:.*]] = arith.constant 512 : index
// CHECK-DAG:     %[[BYROW:.*]] = arith.muli %[[ROW]], %[[C32]]
// CHECK-DAG:     %[[BYQ:.*]] = arith.muli %[[Q]], %[[C512]]
// CHECK:         %[[FROM:.*]] = arith.addi %[[BYROW]], %[[BYQ]]
// CHECK:         %[[VIEW:.*]] = memref.reinterpret_cast %{{.*}} to offset: [%[[FROM]]]
// CHECK:         memref.load %[[VIEW]]
// CHECK-NOT:     affine.
