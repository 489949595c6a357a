// RUN: sparse-attn-opt %s --sparse-attn-bare-kernels --canonicalize | FileCheck %s

module attributes {gpu.container_module} {
  func.func @f(%a: memref<?x4xf32>) {
    %c1 = arith.constant 1 : index
    gpu.launch_func @f_kernels::@f_0 blocks in (%c1, %c1, %c1) threads in (%c1, %c1, %c1)
        args(%a : memref<?x4xf32>)
    return
  }
  gpu.module @f_kernels attributes {sparse_attn.kernels} {
    gpu.func @f_0(%a: memref<?x4xf32>) kernel {
      %c0 = arith.constant 0 : index
      %global = memref.memory_space_cast %a : memref<?x4xf32> to memref<?x4xf32, #gpu.address_space<global>>
      %x = memref.load %global[%c0, %c0] : memref<?x4xf32, #gpu.address_space<global>>
      memref.store %x, %global[%c0, %c0] : memref<?x4xf32, #gpu.address_space<global>>
      gpu.return
    }
  }
}

// CHECK: func.func @f(%[[A:.*]]: memref<?x4xf32>) {
// CHECK: gpu.launch_func @f_kernels::@f_0 {{.*}} args(%{{.*}} : !llvm.ptr<1>, %{{.*}} : i32)
// CHECK: gpu.func @f_0(%[[POINTER:.*]]: !llvm.ptr<1>, %[[SIZE:.*]]: i32) kernel
