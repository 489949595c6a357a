// o = a + b, 1000 elements in blocks of 128: the last block has a ragged tail.

module attributes {gpu.container_module} {
  gpu.module @kernels {
    llvm.func @add(%a: !llvm.ptr<1>, %b: !llvm.ptr<1>, %o: !llvm.ptr<1>, %n: i32)
        attributes {gpu.kernel, nvvm.kernel} {
      %tid = nvvm.read.ptx.sreg.tid.x : i32
      %ntid = nvvm.read.ptx.sreg.ntid.x : i32
      %ctaid = nvvm.read.ptx.sreg.ctaid.x : i32
      %first = llvm.mul %ctaid, %ntid : i32
      %i = llvm.add %first, %tid : i32
      %inside = llvm.icmp "slt" %i, %n : i32
      llvm.cond_br %inside, ^body, ^done
    ^body:
      %pa = llvm.getelementptr %a[%i] : (!llvm.ptr<1>, i32) -> !llvm.ptr<1>, f32
      %pb = llvm.getelementptr %b[%i] : (!llvm.ptr<1>, i32) -> !llvm.ptr<1>, f32
      %po = llvm.getelementptr %o[%i] : (!llvm.ptr<1>, i32) -> !llvm.ptr<1>, f32
      %x = llvm.load %pa : !llvm.ptr<1> -> f32
      %y = llvm.load %pb : !llvm.ptr<1> -> f32
      %z = llvm.fadd %x, %y : f32
      llvm.store %z, %po : f32, !llvm.ptr<1>
      llvm.br ^done
    ^done:
      llvm.return
    }
  }

  func.func @add(%a: tensor<1000xf32>, %b: tensor<1000xf32>) -> tensor<1000xf32> {
    %c1 = arith.constant 1 : index
    %c8 = arith.constant 8 : index
    %c128 = arith.constant 128 : index
    %n = arith.constant 1000 : i32
    %am = bufferization.to_buffer %a : tensor<1000xf32> to memref<1000xf32>
    %bm = bufferization.to_buffer %b : tensor<1000xf32> to memref<1000xf32>
    %om = memref.alloc() : memref<1000xf32>
    %ai = memref.extract_aligned_pointer_as_index %am : memref<1000xf32> -> index
    %bi = memref.extract_aligned_pointer_as_index %bm : memref<1000xf32> -> index
    %oi = memref.extract_aligned_pointer_as_index %om : memref<1000xf32> -> index
    %a64 = arith.index_cast %ai : index to i64
    %b64 = arith.index_cast %bi : index to i64
    %o64 = arith.index_cast %oi : index to i64
    %pa = llvm.inttoptr %a64 : i64 to !llvm.ptr
    %pb = llvm.inttoptr %b64 : i64 to !llvm.ptr
    %po = llvm.inttoptr %o64 : i64 to !llvm.ptr
    gpu.launch_func @kernels::@add blocks in (%c8, %c1, %c1) threads in (%c128, %c1, %c1)
        args(%pa : !llvm.ptr, %pb : !llvm.ptr, %po : !llvm.ptr, %n : i32)
    %o = bufferization.to_tensor %om restrict : memref<1000xf32> to tensor<1000xf32>
    return %o : tensor<1000xf32>
  }
}
