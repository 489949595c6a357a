// Dynamic shared memory is declared: a launch gives it its size.
//
// RUN: sparse-attn-opt %s --sparse-attn-extern-shared | FileCheck %s

gpu.module @kernels {
  // CHECK: llvm.mlir.global external @__dynamic_shmem__0() {addr_space = 3 : i32, alignment = 128 : i64} : !llvm.array<0 x i8>
  llvm.mlir.global internal @__dynamic_shmem__0() {addr_space = 3 : i32, alignment = 16 : i64} : !llvm.array<0 x i8>

  // What has a size is the kernel's own.
  //
  // CHECK: llvm.mlir.global internal @list() {addr_space = 3 : i32, alignment = 16 : i64} : !llvm.array<8 x i32>
  llvm.mlir.global internal @list() {addr_space = 3 : i32, alignment = 16 : i64} : !llvm.array<8 x i32>

  // In another space it is no shared memory.
  //
  // CHECK: llvm.mlir.global internal @global() {addr_space = 1 : i32} : !llvm.array<0 x i8>
  llvm.mlir.global internal @global() {addr_space = 1 : i32} : !llvm.array<0 x i8>
}
