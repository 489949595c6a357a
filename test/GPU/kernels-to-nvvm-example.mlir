// RUN: sparse-attn-opt %s --sparse-attn-kernels-to-nvvm | FileCheck %s

// Maxima and fused products are operations of the LLVM dialect, not calls of a library,
// and threads of a block have a register.
gpu.module @f_kernels attributes {sparse_attn.kernels} {
  gpu.func @tile(%x: f32, %y: f32, %p: !llvm.ptr<1>) kernel {
    %thread = gpu.thread_id x
    %most = arith.maxnumf %x, %y : f32
    %sum = math.fma %most, %x, %y : f32
    %offset = arith.index_cast %thread : index to i64
    %to = llvm.getelementptr %p[%offset] : (!llvm.ptr<1>, i64) -> !llvm.ptr<1>, f32
    llvm.store %sum, %to : f32, !llvm.ptr<1>
    gpu.return
  }
}

// CHECK-LABEL: llvm.func @tile
// CHECK-SAME:    nvvm.kernel
// CHECK:         %[[NUMBER:.*]] = nvvm.read.ptx.sreg.tid.x
// CHECK:         %[[THREAD:.*]] = llvm.sext %[[NUMBER]] : i32 to i64
// CHECK:         %[[MOST:.*]] = llvm.intr.maxnum
// CHECK:         %[[SUM:.*]] = llvm.intr.fma(%[[MOST]]
// CHECK:         %[[TO:.*]] = llvm.getelementptr %{{.*}}[%[[THREAD]]]
// CHECK:         llvm.store %[[SUM]], %[[TO]]
// CHECK-NOT:     unrealized_conversion_cast
