// What upstream notes of its own run time goes, all else stays.
//
// RUN: sparse-attn-opt --sparse-attn-drop-timings %s | FileCheck %s
//
// CHECK:      gpu.binary @isa [#gpu.object<#nvvm.target<chip = "sm_80">, properties = {O = 3 : i32}, assembly = "ptx">]
// CHECK-NEXT: gpu.binary @binary [#gpu.object<#nvvm.target<chip = "sm_80">, bin = "one">,
// CHECK-SAME:   #gpu.object<#nvvm.target<chip = "sm_90">, properties = {O = 2 : i32}, kernels = <[#gpu.kernel_metadata<"k", () -> ()>]>, bin = "two">]
// CHECK-NEXT: gpu.binary @bare [#gpu.object<#nvvm.target<chip = "sm_80">, assembly = "ptx">]
gpu.binary @isa [#gpu.object<#nvvm.target<chip = "sm_80">, properties = {LLVMIRToISATimeInMs = 125 : i64, O = 3 : i32}, assembly = "ptx">]
gpu.binary @binary [
  #gpu.object<#nvvm.target<chip = "sm_80">, properties = {ISAToBinaryTimeInMs = 2 : i64, LLVMIRToISATimeInMs = 1 : i64}, bin = "one">,
  #gpu.object<#nvvm.target<chip = "sm_90">, properties = {ISAToBinaryTimeInMs = 2 : i64, O = 2 : i32}, kernels = <[#gpu.kernel_metadata<"k", () -> ()>]>, bin = "two">]
gpu.binary @bare [#gpu.object<#nvvm.target<chip = "sm_80">, assembly = "ptx">]
