// RUN: sparse-attn-opt %s --sparse-attn-map-to-gpu | FileCheck %s

func.func @f(%q: memref<3x128x16xf32>, %o: memref<3x128x16xf32>) {
  %c0 = arith.constant 0 : index
  %c32 = arith.constant 32 : index
  %zero = arith.constant 0.0 : f32
  scf.forall (%head, %t) in (3, 4) {
    %row = arith.muli %t, %c32 : index
    %source = memref.subview %q[%head, %row, 0] [1, 32, 16] [1, 1, 1]
      : memref<3x128x16xf32> to memref<32x16xf32, strided<[16, 1], offset: ?>>
    %target = memref.subview %o[%head, %row, 0] [1, 32, 16] [1, 1, 1]
      : memref<3x128x16xf32> to memref<32x16xf32, strided<[16, 1], offset: ?>>
    %tile = vector.transfer_read %source[%c0, %c0], %zero {in_bounds = [true, true]}
      : memref<32x16xf32, strided<[16, 1], offset: ?>>, vector<32x16xf32>
    vector.transfer_write %tile, %target[%c0, %c0] {in_bounds = [true, true]}
      : vector<32x16xf32>, memref<32x16xf32, strided<[16, 1], offset: ?>>
  } {mapping = [#gpu.block<linear_dim_1>, #gpu.block<linear_dim_0>]}
  return
}

// CHECK:      gpu.launch blocks(%[[X:[a-z0-9_]+]], {{.*}}) in (%{{.*}} = %c12, {{.*}}) threads({{.*}}) in (%{{.*}} = %c64, {{.*}}) module(@f_kernels) function(@f_0) {
// CHECK:        %[[GLOBAL:.*]] = memref.memory_space_cast %{{.*}} : memref<3x128x16xf32> to memref<3x128x16xf32, #gpu.address_space<global>>
// CHECK:        %[[FROM_LAST:.*]] = arith.subi %c11{{[_0-9]*}}, %[[X]] : index
// CHECK:        %[[BLOCK:.*]] = arith.index_castui %[[FROM_LAST]] : index to i32
// CHECK:        %[[T:.*]] = arith.remui %[[BLOCK]], %c4_i32 : i32
// CHECK:        %[[HEAD:.*]] = arith.divui %[[BLOCK]], %c4_i32 : i32
// CHECK:        memref.subview %[[GLOBAL]]
// CHECK:        gpu.terminator
// CHECK:      gpu.module @f_kernels attributes {sparse_attn.kernels} {
// CHECK-NEXT: }
