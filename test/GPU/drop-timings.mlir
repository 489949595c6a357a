// What upstream notes of its own run time goes, all else stays, and a user's own
// binary as it is.
//
// RUN: sparse-attn-opt --sparse-attn-drop-timings %s | FileCheck %s
//
// CHECK:      gpu.binary @isa {sparse_attn.kernels} [#gpu.object<#nvvm.target<chip = "sm_80">, properties = {O = 3 : i32}, assembly = "ptx">]
// CHECK-NEXT: gpu.binary @binary {sparse_attn.kernels} [#gpu.object<#nvvm.target<chip = "sm_80">, bin = "one">,
// CHECK-SAME:   #gpu.object<#nvvm.target<chip = "sm_90">, properties = {O = 2 : i32}, kernels = <[#gpu.kernel_metadata<"k", () -> ()>]>, bin = "two">]
// CHECK-NEXT: gpu.binary @bare {sparse_attn.kernels} [#gpu.object<#nvvm.target<chip = "sm_80">, assembly = "ptx">]
// CHECK-NEXT: gpu.binary @user [{{.*}} properties = {LLVMIRToISATimeInMs = 7 : i64}
gpu.binary @isa {sparse_attn.kernels} [#gpu.object<#nvvm.target<chip = "sm_80">, properties = {LLVMIRToISATimeInMs = 125 : i64, O = 3 : i32}, assembly = "ptx">]
gpu.binary @binary {sparse_attn.kernels} [
  #gpu.object<#nvvm.target<chip = "sm_80">, properties = {ISAToBinaryTimeInMs = 2 : i64, LLVMIRToISATimeInMs = 1 : i64}, bin = "one">,
  #gpu.object<#nvvm.target<chip = "sm_90">, properties = {ISAToBinaryTimeInMs = 2 : i64, O = 2 : i32}, kernels = <[#gpu.kernel_metadata<"k", () -> ()>]>, bin = "two">]
gpu.binary @bare {sparse_attn.kernels} [#gpu.object<#nvvm.target<chip = "sm_80">, assembly = "ptx">]
gpu.binary @user [#gpu.object<#nvvm.target<chip = "sm_80">, properties = {LLVMIRToISATimeInMs = 7 : i64}, assembly = "ptx">]
