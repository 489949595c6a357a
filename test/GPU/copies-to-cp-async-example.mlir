// RUN: sparse-attn-opt %s --sparse-attn-copies-to-cp-async --canonicalize | FileCheck %s

#global = #gpu.address_space<global>
#shared = #gpu.address_space<workgroup>
func.func @two_tiles(%k: memref<16x16xf16, #global>, %v: memref<16x16xf16, #global>, %m: memref<?xi8, #shared>, %thread: i32) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c32 = arith.constant 32 : index
  %c512 = arith.constant 512 : index
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %c1, %gy = %c1, %gz = %c1)
             threads(%tx, %ty, %tz) in (%sx = %c32, %sy = %c1, %sz = %c1) {
    %keys = sparse_attn_gpu.stage %k to %m[%c0] rows 16 thread %thread
      : memref<16x16xf16, #global>, memref<?xi8, #shared>
    %values = sparse_attn_gpu.stage %v to %m[%c512] rows 16 thread %thread
      : memref<16x16xf16, #global>, memref<?xi8, #shared>
    sparse_attn_gpu.wait %keys
    sparse_attn_gpu.wait %values
    gpu.terminator
  }
  return
}

// Each token is a group of its own. When the keys are needed, the newest group may go on.
// CHECK:      nvvm.cp.async.shared.global %{{.*}}, %{{.*}}, 16, cache = cg
// CHECK-NEXT: nvvm.cp.async.commit.group
// CHECK:      nvvm.cp.async.shared.global %{{.*}}, %{{.*}}, 16, cache = cg
// CHECK-NEXT: nvvm.cp.async.commit.group
// CHECK-NEXT: nvvm.cp.async.wait.group 1
// CHECK-NEXT: gpu.barrier
// CHECK-NEXT: nvvm.cp.async.wait.group 0
// CHECK-NEXT: gpu.barrier
