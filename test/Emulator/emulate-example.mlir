// RUN: sparse-attn-opt %s --sparse-attn-emulate | FileCheck %s

module attributes {gpu.container_module} {
  func.func @host(%a: !llvm.ptr) {
    %c1 = arith.constant 1 : index
    %c32 = arith.constant 32 : index
    gpu.launch_func @m::@kernel blocks in (%c1, %c1, %c1) threads in (%c32, %c1, %c1) args(%a : !llvm.ptr)
    return
  }
  gpu.module @m {
    llvm.func @kernel(%p: !llvm.ptr<1>) attributes {gpu.kernel, nvvm.kernel} {
      %x = nvvm.read.ptx.sreg.tid.x : i32
      %q = llvm.getelementptr %p[%x] : (!llvm.ptr<1>, i32) -> !llvm.ptr<1>, f32
      %zero = llvm.mlir.constant(0.0 : f32) : f32
      llvm.store %zero, %q : f32, !llvm.ptr<1>
      llvm.return
    }
  }
}

// CHECK:      func.func @host(%[[A:.*]]: !llvm.ptr) {
// CHECK:      llvm.call @sparse_attn_emu_launch(%[[DESCRIPTOR:[^,]*]], {{.*}})
// CHECK:      llvm.func internal @m_kernel(%[[P:.*]]: !llvm.ptr) {{.*}}{
// CHECK:      %[[X:.*]] = llvm.call @sparse_attn_emu_special_register(%{{.*}}) : (i32) -> i32
// CHECK:      %[[Q:.*]] = llvm.getelementptr %[[P]][%[[X]]] : (!llvm.ptr, i32) -> !llvm.ptr, f32
// CHECK:      llvm.call @sparse_attn_emu_access_global(%[[Q]], {{.*}})
// CHECK-NEXT: llvm.store %{{.*}}, %[[Q]] : f32, !llvm.ptr
