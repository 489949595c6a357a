// RUN: sparse-attn-opt %s --sparse-attn-kernels-to-ptx=chip=sm_80 | FileCheck %s

gpu.module @f_kernels attributes {sparse_attn.kernels} {
  llvm.func @f_0(%a: !llvm.ptr<1>) attributes {gpu.kernel, nvvm.kernel} {
    %zero = llvm.mlir.constant(0.0 : f32) : f32
    llvm.store %zero, %a : f32, !llvm.ptr<1>
    llvm.return
  }
}

// CHECK: gpu.binary @f_kernels {{.*}} [#gpu.object<#nvvm.target<{{.*}}chip = "sm_80"{{.*}}assembly = "{{.*}}.target sm_80{{.*}}.visible .entry f_0({{.*}}">]
