// RUN: sparse-attn-opt %s --sparse-attn-drop-timings | FileCheck %s

gpu.binary @f_kernels {sparse_attn.kernels} [#gpu.object<#nvvm.target<chip = "sm_80">, properties = {LLVMIRToISATimeInMs = 12 : i64, O = 3 : i32}, assembly = "">]

// CHECK: gpu.binary @f_kernels {sparse_attn.kernels} [#gpu.object<#nvvm.target<chip = "sm_80">, properties = {O = 3 : i32}, assembly = "">]
