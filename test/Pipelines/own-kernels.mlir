// Kernels of the user's own stay exactly as they are, whatever ours become, and are
// launched as before.
//
// RUN: sparse-attn-opt %s --sparse-attn-nvvm-pipeline="emit=nvvm" | FileCheck %s --check-prefixes=CHECK,NVVM
// RUN: sparse-attn-opt %s --sparse-attn-nvvm-pipeline | FileCheck %s --check-prefixes=CHECK,PTX
// RUN: sparse-attn-opt %s --sparse-attn-nvvm-pipeline --mlir-print-debuginfo=false -o %t.out
// RUN: sparse-attn-opt %s -o %t.in
// RUN: sed -n '/gpu.module @mine/,/^  }/p' %t.in > %t.before
// RUN: sed -n '/gpu.module @mine/,/^  }/p' %t.out > %t.after
// RUN: grep -q 'gpu.thread_id' %t.before
// RUN: diff %t.before %t.after

module attributes {gpu.container_module} {
  gpu.module @mine [#nvvm.target<chip = "sm_90">] {
    gpu.func @k(%a: memref<64xf32>) kernel {
      %i = gpu.thread_id x
      %x = memref.load %a[%i] : memref<64xf32>
      %zero = arith.constant 0.0 : f32
      %unused = arith.addf %x, %zero : f32
      %v = memref.subview %a[%i] [1] [1] : memref<64xf32> to memref<1xf32, strided<[1], offset: ?>>
      %c0 = arith.constant 0 : index
      %y = arith.addf %x, %x : f32
      memref.store %y, %v[%c0] : memref<1xf32, strided<[1], offset: ?>>
      gpu.return
    }
  }
  gpu.binary @theirs [#gpu.object<#nvvm.target, "their code">]

  // CHECK-LABEL: func.func @f
  // CHECK:         gpu.launch_func @mine::@k {{.*}} args(%{{.*}} : memref<64xf32>)
  // CHECK:         gpu.launch_func @f_kernels::@f_0 {{.*}} args(%{{.*}} : !llvm.ptr<1>
  // CHECK:         gpu.launch_func @f_kernel::@f_kernel {{.*}} args(%{{.*}} : memref<64xf32>)
  func.func @f(%q: tensor<1x2x64x16xf32>, %m: memref<64xf32>) -> tensor<1x2x64x16xf32> {
    %c1 = arith.constant 1 : index
    %c64 = arith.constant 64 : index
    gpu.launch_func @mine::@k blocks in (%c1, %c1, %c1) threads in (%c64, %c1, %c1) args(%m : memref<64xf32>)
    %i = tensor.empty() : tensor<1x2x64x16xf32>
    %o = sparse_attn.attention mask(#sparse_attn.causal) ins(%q, %q, %q : tensor<1x2x64x16xf32>, tensor<1x2x64x16xf32>, tensor<1x2x64x16xf32>) outs(%i : tensor<1x2x64x16xf32>) -> tensor<1x2x64x16xf32>
    gpu.launch blocks(%bx, %by, %bz) in (%gx = %c1, %gy = %c1, %gz = %c1)
               threads(%tx, %ty, %tz) in (%sx = %c64, %sy = %c1, %sz = %c1) {
      %x = memref.load %m[%tx] : memref<64xf32>
      %y = arith.mulf %x, %x : f32
      memref.store %y, %m[%tx] : memref<64xf32>
      gpu.terminator
    }
    return %o : tensor<1x2x64x16xf32>
  }
}

// NVVM:        gpu.module @f_kernels attributes {sparse_attn.kernels}
// NVVM:          llvm.func @f_0
// PTX:         gpu.binary @f_kernels
//
// A launch with a body is outlined, and no more.
//
// CHECK:       gpu.module @f_kernel {
// CHECK:         gpu.func @f_kernel(%{{.*}}: memref<64xf32>) kernel
// CHECK:           arith.mulf
