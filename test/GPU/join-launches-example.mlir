// RUN: sparse-attn-opt %s --sparse-attn-join-launches | FileCheck %s

func.func @f(%x: memref<8xi32, #gpu.address_space<global>>) {
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %c6 = arith.constant 6 : index
  %c32 = arith.constant 32 : index
  %c64 = arith.constant 64 : index
  gpu.launch blocks(%b, %by, %bz) in (%gx = %c2, %gy = %c1, %gz = %c1)
             threads(%t, %ty, %tz) in (%sx = %c32, %sy = %c1, %sz = %c1) {
    gpu.barrier
    gpu.terminator
  } {sparse_attn.together}
  gpu.launch blocks(%b, %by, %bz) in (%gx = %c6, %gy = %c1, %gz = %c1)
             threads(%t, %ty, %tz) in (%sx = %c64, %sy = %c1, %sz = %c1) {
    %seven = arith.constant 7 : i32
    memref.store %seven, %x[%b] : memref<8xi32, #gpu.address_space<global>>
    gpu.terminator
  } {sparse_attn.together}
  return
}

// CHECK:      gpu.launch blocks(%[[BLOCK:[a-z0-9_]+]], {{.*}}) in (%{{.*}} = %c7{{[_0-9]*}}, {{.*}}) threads(%[[THREAD:[a-z0-9_]+]], {{.*}}) in (%{{.*}} = %c64{{[_0-9]*}}, {{.*}}) {
// CHECK:        %[[IS_FIRST:.*]] = arith.cmpi ult, %[[BLOCK]], %{{.*}} : index
// CHECK:        scf.if %[[IS_FIRST]] {
// CHECK:          arith.divui %[[THREAD]], %c32
// CHECK:          %[[TWO:.*]] = arith.muli %[[BLOCK]], %c2{{[_0-9]*}} : index
// CHECK:          %[[NUMBER:.*]] = arith.addi %[[TWO]], %{{.*}} : index
// CHECK:          %[[HAS_WORK:.*]] = arith.cmpi ult, %[[NUMBER]], %c2{{[_0-9]*}} : index
// CHECK:          scf.if %[[HAS_WORK]] {
// CHECK:            nvvm.bar.warp.sync
// CHECK:          }
// CHECK:        } else {
// CHECK:          %[[OWN:.*]] = arith.subi %[[BLOCK]], %{{.*}} : index
// CHECK:          memref.store %{{.*}}, %{{.*}}[%[[OWN]]]
// CHECK:        }
// CHECK:        gpu.terminator
