// The table by which programs find kernels and variables by name.
//
// RUN: sparse-attn-opt %s --sparse-attn-emulate=export-kernels | FileCheck %s
// RUN: sparse-attn-opt %s --sparse-attn-emulate | FileCheck %s --check-prefix=WITHOUT
//
// CHECK-DAG: llvm.mlir.global external constant @sparse_attn_emu_module() {{.*}} : !llvm.struct<(ptr, i64, ptr, i64)>
// CHECK-DAG: llvm.mlir.global internal constant @sparse_attn_emu_kernels() {{.*}} : !llvm.array<3 x ptr>
// CHECK-DAG: llvm.mlir.global internal constant @sparse_attn_emu_variables() {{.*}} : !llvm.array<2 x i64>
// CHECK-DAG: llvm.mlir.addressof @m_first_descriptor
// CHECK-DAG: llvm.mlir.addressof @m_second_descriptor
// CHECK-DAG: llvm.mlir.addressof @m_table
// CHECK-DAG: llvm.func internal @_sparse_attn_emu_launch()
// WITHOUT-NOT: sparse_attn_emu_module

gpu.module @m {
  llvm.mlir.global internal constant @table(dense<[1, 2]> : tensor<2xi32>) {addr_space = 4 : i32} : !llvm.array<2 x i32>
  llvm.func @first() attributes {nvvm.kernel} {
    llvm.return
  }
  llvm.func @second() attributes {nvvm.kernel} {
    llvm.return
  }
}

// No kernel gets a name of the runtime.
gpu.module @sparse_attn {
  llvm.func @emu_launch() attributes {nvvm.kernel} {
    llvm.return
  }
}
