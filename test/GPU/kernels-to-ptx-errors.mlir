// RUN: sparse-attn-opt %s --sparse-attn-kernels-to-ptx=chip=sm_80 --verify-diagnostics

// Upstream says which operation it knows no LLVM for, and that there is no LLVM
// module then; the chip is ours to tell.

// expected-error@below {{Failed creating the llvm::Module}}
// expected-error@below {{kernels could not be made PTX for sm_80}}
gpu.module @f_kernels attributes {sparse_attn.kernels} {
  llvm.func @f_0(%a: !llvm.ptr<1>) attributes {gpu.kernel, nvvm.kernel} {
    // expected-error@below {{cannot be converted to LLVM IR}}
    %zero = arith.constant 0.0 : f32
    llvm.store %zero, %a : f32, !llvm.ptr<1>
    llvm.return
  }
}
