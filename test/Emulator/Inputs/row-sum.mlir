// o[i] = sum over j of x[i, j], one block of two warps a row: each thread adds a
// stride of the row, a warp adds its threads by shuffles, and thread 0 the warps.

module attributes {gpu.container_module} {
gpu.module @kernels {
  llvm.mlir.global internal @partial() {addr_space = 3 : i32} : !llvm.array<2 x f32>

  llvm.func @row_sum(%x: !llvm.ptr<1>, %o: !llvm.ptr<1>, %columns: i32)
      attributes {gpu.kernel, nvvm.kernel, nvvm.reqntid = array<i32: 64, 1, 1>} {
    %c0 = arith.constant 0 : i32
    %c1 = arith.constant 1 : i32
    %c2 = arith.constant 2 : i32
    %c4 = arith.constant 4 : i32
    %c5 = arith.constant 5 : i32
    %c8 = arith.constant 8 : i32
    %c16 = arith.constant 16 : i32
    %c31 = arith.constant 31 : i32
    %c64 = arith.constant 64 : i32
    %all = arith.constant -1 : i32
    %zero = arith.constant 0.0 : f32
    %tid = nvvm.read.ptx.sreg.tid.x : i32
    %lane = nvvm.read.ptx.sreg.laneid : i32
    %row = nvvm.read.ptx.sreg.ctaid.x : i32
    %start = arith.muli %row, %columns : i32
    %mine = scf.for %j = %tid to %columns step %c64 iter_args(%sum = %zero) -> f32 : i32 {
      %index = arith.addi %start, %j : i32
      %source = llvm.getelementptr %x[%index] : (!llvm.ptr<1>, i32) -> !llvm.ptr<1>, f32
      %value = llvm.load %source : !llvm.ptr<1> -> f32
      %next = llvm.fadd %sum, %value : f32
      scf.yield %next : f32
    }
    %y16 = nvvm.shfl.sync bfly %all, %mine, %c16, %c31 : f32 -> f32
    %s16 = llvm.fadd %mine, %y16 : f32
    %y8 = nvvm.shfl.sync bfly %all, %s16, %c8, %c31 : f32 -> f32
    %s8 = llvm.fadd %s16, %y8 : f32
    %y4 = nvvm.shfl.sync bfly %all, %s8, %c4, %c31 : f32 -> f32
    %s4 = llvm.fadd %s8, %y4 : f32
    %y2 = nvvm.shfl.sync bfly %all, %s4, %c2, %c31 : f32 -> f32
    %s2 = llvm.fadd %s4, %y2 : f32
    %y1 = nvvm.shfl.sync bfly %all, %s2, %c1, %c31 : f32 -> f32
    %s1 = llvm.fadd %s2, %y1 : f32
    %partial = llvm.mlir.addressof @partial : !llvm.ptr<3>
    %first_lane = arith.cmpi eq, %lane, %c0 : i32
    scf.if %first_lane {
      %warp = arith.shrui %tid, %c5 : i32
      %slot = llvm.getelementptr %partial[%warp] : (!llvm.ptr<3>, i32) -> !llvm.ptr<3>, f32
      llvm.store %s1, %slot : f32, !llvm.ptr<3>
    }
    nvvm.barrier0
    %first = arith.cmpi eq, %tid, %c0 : i32
    scf.if %first {
      %second = llvm.getelementptr %partial[%c1] : (!llvm.ptr<3>, i32) -> !llvm.ptr<3>, f32
      %lower = llvm.load %partial : !llvm.ptr<3> -> f32
      %upper = llvm.load %second : !llvm.ptr<3> -> f32
      %sum = llvm.fadd %lower, %upper : f32
      %target = llvm.getelementptr %o[%row] : (!llvm.ptr<1>, i32) -> !llvm.ptr<1>, f32
      llvm.store %sum, %target : f32, !llvm.ptr<1>
    }
    llvm.return
  }
}

func.func @row_sum(%x: tensor<37x200xf32>) -> tensor<37xf32> {
  %c1 = arith.constant 1 : index
  %c37 = arith.constant 37 : index
  %c64 = arith.constant 64 : index
  %columns = arith.constant 200 : i32
  %xm = bufferization.to_buffer %x : tensor<37x200xf32> to memref<37x200xf32>
  %om = memref.alloc() : memref<37xf32>
  %xi = memref.extract_aligned_pointer_as_index %xm : memref<37x200xf32> -> index
  %oi = memref.extract_aligned_pointer_as_index %om : memref<37xf32> -> index
  %x64 = arith.index_cast %xi : index to i64
  %o64 = arith.index_cast %oi : index to i64
  %px = llvm.inttoptr %x64 : i64 to !llvm.ptr
  %po = llvm.inttoptr %o64 : i64 to !llvm.ptr
  gpu.launch_func @kernels::@row_sum blocks in (%c37, %c1, %c1) threads in (%c64, %c1, %c1)
      args(%px : !llvm.ptr, %po : !llvm.ptr, %columns : i32)
  %o = bufferization.to_tensor %om restrict : memref<37xf32> to tensor<37xf32>
  return %o : tensor<37xf32>
}
}
