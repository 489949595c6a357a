// C = A B with A 100 x 192 and B 192 x 64 in bf16, C in f32, by blocks of 4 warps.
// A block computes 64 rows, a warp 16 of them; steps of 64 along K go through two
// stages of shared memory:
//
//   copy stage 0
//   for each step:
//     copy the next stage
//     wait for all but the newest group; barrier
//     A fragments by ldmatrix, B fragments by ldmatrix.trans, mma.sync
//     barrier                        everyone has read: the stage may be overwritten
//
// A stage has 64 rows of 128 bytes of A and 64 of B. The 16-byte chunk c of row r
// is at chunk c xor (r mod 8). Rows of A beyond 100 are filled with zeros.

module attributes {gpu.container_module} {
gpu.module @kernels {
  llvm.mlir.global external @smem() {addr_space = 3 : i32, alignment = 16 : i64} : !llvm.array<0 x i8>

  // Byte offset of a chunk of a tile.
  llvm.func @chunk_offset(%row: i32, %chunk: i32) -> i32 {
    %c7 = arith.constant 7 : i32
    %c16 = arith.constant 16 : i32
    %c128 = arith.constant 128 : i32
    %low = arith.andi %row, %c7 : i32
    %swizzled = arith.xori %chunk, %low : i32
    %base = arith.muli %row, %c128 : i32
    %inside = arith.muli %swizzled, %c16 : i32
    %offset = arith.addi %base, %inside : i32
    llvm.return %offset : i32
  }

  // A thread's share of a stage: 4 chunks of A and 4 of B.
  llvm.func @copy_stage(%a: !llvm.ptr<1>, %b: !llvm.ptr<1>, %stage: !llvm.ptr<3>,
                        %row0: i32, %rows: i32, %step: i32) {
    %c0 = arith.constant 0 : i32
    %c1 = arith.constant 1 : i32
    %c3 = arith.constant 3 : i32
    %c4 = arith.constant 4 : i32
    %c7 = arith.constant 7 : i32
    %c8 = arith.constant 8 : i32
    %c16 = arith.constant 16 : i32
    %c64 = arith.constant 64 : i32
    %c128 = arith.constant 128 : i32
    %c192 = arith.constant 192 : i32
    %tile = arith.constant 8192 : i32
    %tid = nvvm.read.ptx.sreg.tid.x : i32
    %k0 = arith.muli %step, %c64 : i32
    %bstage = llvm.getelementptr %stage[%tile] : (!llvm.ptr<3>, i32) -> !llvm.ptr<3>, i8
    scf.for %i = %c0 to %c4 step %c1 : i32 {
      %turn = arith.muli %i, %c128 : i32
      %index = arith.addi %turn, %tid : i32
      %row = arith.shrui %index, %c3 : i32
      %chunk = arith.andi %index, %c7 : i32
      %offset = llvm.call @chunk_offset(%row, %chunk) : (i32, i32) -> i32
      %column = arith.muli %chunk, %c8 : i32

      %m = arith.addi %row0, %row : i32
      %inside = arith.cmpi slt, %m, %rows : i32
      %bytes = arith.select %inside, %c16, %c0 : i32
      %k = arith.addi %k0, %column : i32
      %arow = arith.muli %m, %c192 : i32
      %aindex = arith.addi %arow, %k : i32
      %asource = llvm.getelementptr %a[%aindex] : (!llvm.ptr<1>, i32) -> !llvm.ptr<1>, bf16
      %atarget = llvm.getelementptr %stage[%offset] : (!llvm.ptr<3>, i32) -> !llvm.ptr<3>, i8
      nvvm.cp.async.shared.global %atarget, %asource, 16, cache = cg, %bytes : !llvm.ptr<3>, !llvm.ptr<1>, i32

      %bk = arith.addi %k0, %row : i32
      %brow = arith.muli %bk, %c64 : i32
      %bindex = arith.addi %brow, %column : i32
      %bsource = llvm.getelementptr %b[%bindex] : (!llvm.ptr<1>, i32) -> !llvm.ptr<1>, bf16
      %btarget = llvm.getelementptr %bstage[%offset] : (!llvm.ptr<3>, i32) -> !llvm.ptr<3>, i8
      nvvm.cp.async.shared.global %btarget, %bsource, 16, cache = cg : !llvm.ptr<3>, !llvm.ptr<1>
    }
    llvm.return
  }

  llvm.func @store_pair(%c: !llvm.ptr<1>, %row: i32, %rows: i32, %column: i32, %x: f32, %y: f32) {
    %c64 = arith.constant 64 : i32
    %c0 = arith.constant 0 : i32
    %c1 = arith.constant 1 : i32
    %inside = arith.cmpi slt, %row, %rows : i32
    scf.if %inside {
      %undef = llvm.mlir.undef : vector<2xf32>
      %first = llvm.insertelement %x, %undef[%c0 : i32] : vector<2xf32>
      %pair = llvm.insertelement %y, %first[%c1 : i32] : vector<2xf32>
      %start = arith.muli %row, %c64 : i32
      %index = arith.addi %start, %column : i32
      %target = llvm.getelementptr %c[%index] : (!llvm.ptr<1>, i32) -> !llvm.ptr<1>, f32
      llvm.store %pair, %target : vector<2xf32>, !llvm.ptr<1>
    }
    llvm.return
  }

  llvm.func @matmul(%a: !llvm.ptr<1>, %b: !llvm.ptr<1>, %c: !llvm.ptr<1>, %rows: i32)
      attributes {gpu.kernel, nvvm.kernel, nvvm.maxntid = array<i32: 128, 1, 1>} {
    %c0 = arith.constant 0 : i32
    %c1 = arith.constant 1 : i32
    %c2 = arith.constant 2 : i32
    %c3 = arith.constant 3 : i32
    %c4 = arith.constant 4 : i32
    %c5 = arith.constant 5 : i32
    %c8 = arith.constant 8 : i32
    %c15 = arith.constant 15 : i32
    %c16 = arith.constant 16 : i32
    %c64 = arith.constant 64 : i32
    %tile = arith.constant 8192 : i32
    %stages = arith.constant 16384 : i32
    %tid = nvvm.read.ptx.sreg.tid.x : i32
    %lane = nvvm.read.ptx.sreg.laneid : i32
    %block = nvvm.read.ptx.sreg.ctaid.x : i32
    %row0 = arith.muli %block, %c64 : i32
    %warp = arith.shrui %tid, %c5 : i32
    %warp_row = arith.muli %warp, %c16 : i32
    %lane_row = arith.andi %lane, %c15 : i32
    %lane_chunk = arith.shrui %lane, %c4 : i32
    %smem = llvm.mlir.addressof @smem : !llvm.ptr<3>
    llvm.call @copy_stage(%a, %b, %smem, %row0, %rows, %c0) : (!llvm.ptr<1>, !llvm.ptr<1>, !llvm.ptr<3>, i32, i32, i32) -> ()
    nvvm.cp.async.commit.group // first commit
    %zero = arith.constant dense<0.0> : vector<32xf32>

    %sum = scf.for %step = %c0 to %c3 step %c1 iter_args(%acc0 = %zero) -> vector<32xf32> : i32 {
      %this = arith.andi %step, %c1 : i32
      %next = arith.addi %step, %c1 : i32
      %other = arith.andi %next, %c1 : i32
      %this_offset = arith.muli %this, %stages : i32
      %other_offset = arith.muli %other, %stages : i32
      %astage = llvm.getelementptr %smem[%this_offset] : (!llvm.ptr<3>, i32) -> !llvm.ptr<3>, i8
      %bstage = llvm.getelementptr %astage[%tile] : (!llvm.ptr<3>, i32) -> !llvm.ptr<3>, i8
      %stage = llvm.getelementptr %smem[%other_offset] : (!llvm.ptr<3>, i32) -> !llvm.ptr<3>, i8
      %more = arith.cmpi slt, %next, %c3 : i32
      scf.if %more {
        llvm.call @copy_stage(%a, %b, %stage, %row0, %rows, %next) : (!llvm.ptr<1>, !llvm.ptr<1>, !llvm.ptr<3>, i32, i32, i32) -> ()
      }
      nvvm.cp.async.commit.group // commit
      nvvm.cp.async.wait.group 1
      nvvm.barrier0 // arrived

      %acc1 = scf.for %kk = %c0 to %c4 step %c1 iter_args(%acc2 = %acc0) -> vector<32xf32> : i32 {
        %k16 = arith.muli %kk, %c16 : i32
        %arow = arith.addi %warp_row, %lane_row : i32
        %kchunk = arith.muli %kk, %c2 : i32
        %achunk = arith.addi %kchunk, %lane_chunk : i32
        %aoffset = llvm.call @chunk_offset(%arow, %achunk) : (i32, i32) -> i32
        %aaddress = llvm.getelementptr %astage[%aoffset] : (!llvm.ptr<3>, i32) -> !llvm.ptr<3>, i8
        %afrag = nvvm.ldmatrix %aaddress {num = 4 : i32, layout = #nvvm.mma_layout<row>, shape = #nvvm.ld_st_matrix_shape<m = 8, n = 8>, eltType = #nvvm.ld_st_matrix_elt_type<b16>} : (!llvm.ptr<3>) -> !llvm.struct<(i32, i32, i32, i32)>
        %a0 = llvm.extractvalue %afrag[0] : !llvm.struct<(i32, i32, i32, i32)>
        %a1 = llvm.extractvalue %afrag[1] : !llvm.struct<(i32, i32, i32, i32)>
        %a2 = llvm.extractvalue %afrag[2] : !llvm.struct<(i32, i32, i32, i32)>
        %a3 = llvm.extractvalue %afrag[3] : !llvm.struct<(i32, i32, i32, i32)>
        %brow = arith.addi %k16, %lane_row : i32

        %acc3 = scf.for %n = %c0 to %c4 step %c1 iter_args(%acc4 = %acc2) -> vector<32xf32> : i32 {
          %nchunk = arith.muli %n, %c2 : i32
          %bchunk = arith.addi %nchunk, %lane_chunk : i32
          %boffset = llvm.call @chunk_offset(%brow, %bchunk) : (i32, i32) -> i32
          %baddress = llvm.getelementptr %bstage[%boffset] : (!llvm.ptr<3>, i32) -> !llvm.ptr<3>, i8
          %bfrag = nvvm.ldmatrix %baddress {num = 4 : i32, layout = #nvvm.mma_layout<col>, shape = #nvvm.ld_st_matrix_shape<m = 8, n = 8>, eltType = #nvvm.ld_st_matrix_elt_type<b16>} : (!llvm.ptr<3>) -> !llvm.struct<(i32, i32, i32, i32)>
          %b0 = llvm.extractvalue %bfrag[0] : !llvm.struct<(i32, i32, i32, i32)>
          %b1 = llvm.extractvalue %bfrag[1] : !llvm.struct<(i32, i32, i32, i32)>
          %b2 = llvm.extractvalue %bfrag[2] : !llvm.struct<(i32, i32, i32, i32)>
          %b3 = llvm.extractvalue %bfrag[3] : !llvm.struct<(i32, i32, i32, i32)>
          %i0 = arith.muli %n, %c8 : i32
          %i1 = arith.addi %i0, %c1 : i32
          %i2 = arith.addi %i0, %c2 : i32
          %i3 = arith.addi %i0, %c3 : i32
          %i4 = arith.addi %i0, %c4 : i32
          %i5 = arith.addi %i1, %c4 : i32
          %i6 = arith.addi %i2, %c4 : i32
          %i7 = arith.addi %i3, %c4 : i32
          %s0 = llvm.extractelement %acc4[%i0 : i32] : vector<32xf32>
          %s1 = llvm.extractelement %acc4[%i1 : i32] : vector<32xf32>
          %s2 = llvm.extractelement %acc4[%i2 : i32] : vector<32xf32>
          %s3 = llvm.extractelement %acc4[%i3 : i32] : vector<32xf32>
          %s4 = llvm.extractelement %acc4[%i4 : i32] : vector<32xf32>
          %s5 = llvm.extractelement %acc4[%i5 : i32] : vector<32xf32>
          %s6 = llvm.extractelement %acc4[%i6 : i32] : vector<32xf32>
          %s7 = llvm.extractelement %acc4[%i7 : i32] : vector<32xf32>
          %d = nvvm.mma.sync A[%a0, %a1, %a2, %a3] B[%b0, %b1] C[%s0, %s1, %s2, %s3]
            {layoutA = #nvvm.mma_layout<row>, layoutB = #nvvm.mma_layout<col>, multiplicandAPtxType = #nvvm.mma_type<bf16>, multiplicandBPtxType = #nvvm.mma_type<bf16>, shape = #nvvm.shape<m = 16, n = 8, k = 16>}
            : (i32, i32, f32) -> !llvm.struct<(f32, f32, f32, f32)>
          %e = nvvm.mma.sync A[%a0, %a1, %a2, %a3] B[%b2, %b3] C[%s4, %s5, %s6, %s7]
            {layoutA = #nvvm.mma_layout<row>, layoutB = #nvvm.mma_layout<col>, multiplicandAPtxType = #nvvm.mma_type<bf16>, multiplicandBPtxType = #nvvm.mma_type<bf16>, shape = #nvvm.shape<m = 16, n = 8, k = 16>}
            : (i32, i32, f32) -> !llvm.struct<(f32, f32, f32, f32)>
          %d0 = llvm.extractvalue %d[0] : !llvm.struct<(f32, f32, f32, f32)>
          %d1 = llvm.extractvalue %d[1] : !llvm.struct<(f32, f32, f32, f32)>
          %d2 = llvm.extractvalue %d[2] : !llvm.struct<(f32, f32, f32, f32)>
          %d3 = llvm.extractvalue %d[3] : !llvm.struct<(f32, f32, f32, f32)>
          %e0 = llvm.extractvalue %e[0] : !llvm.struct<(f32, f32, f32, f32)>
          %e1 = llvm.extractvalue %e[1] : !llvm.struct<(f32, f32, f32, f32)>
          %e2 = llvm.extractvalue %e[2] : !llvm.struct<(f32, f32, f32, f32)>
          %e3 = llvm.extractvalue %e[3] : !llvm.struct<(f32, f32, f32, f32)>
          %r0 = llvm.insertelement %d0, %acc4[%i0 : i32] : vector<32xf32>
          %r1 = llvm.insertelement %d1, %r0[%i1 : i32] : vector<32xf32>
          %r2 = llvm.insertelement %d2, %r1[%i2 : i32] : vector<32xf32>
          %r3 = llvm.insertelement %d3, %r2[%i3 : i32] : vector<32xf32>
          %r4 = llvm.insertelement %e0, %r3[%i4 : i32] : vector<32xf32>
          %r5 = llvm.insertelement %e1, %r4[%i5 : i32] : vector<32xf32>
          %r6 = llvm.insertelement %e2, %r5[%i6 : i32] : vector<32xf32>
          %r7 = llvm.insertelement %e3, %r6[%i7 : i32] : vector<32xf32>
          scf.yield %r7 : vector<32xf32>
        }
        scf.yield %acc3 : vector<32xf32>
      }
      nvvm.barrier0 // consumed
      scf.yield %acc1 : vector<32xf32>
    }

    // c0, c1 in row g, c2, c3 in row g + 8 of each block of 8 columns.
    %g = arith.shrui %lane, %c2 : i32
    %t = arith.andi %lane, %c3 : i32
    %t2 = arith.muli %t, %c2 : i32
    %first = arith.addi %row0, %warp_row : i32
    %upper = arith.addi %first, %g : i32
    %lower = arith.addi %upper, %c8 : i32
    scf.for %n = %c0 to %c8 step %c1 : i32 {
      %n8 = arith.muli %n, %c8 : i32
      %column = arith.addi %n8, %t2 : i32
      %i0 = arith.muli %n, %c4 : i32
      %i1 = arith.addi %i0, %c1 : i32
      %i2 = arith.addi %i0, %c2 : i32
      %i3 = arith.addi %i0, %c3 : i32
      %s0 = llvm.extractelement %sum[%i0 : i32] : vector<32xf32>
      %s1 = llvm.extractelement %sum[%i1 : i32] : vector<32xf32>
      %s2 = llvm.extractelement %sum[%i2 : i32] : vector<32xf32>
      %s3 = llvm.extractelement %sum[%i3 : i32] : vector<32xf32>
      llvm.call @store_pair(%c, %upper, %rows, %column, %s0, %s1) : (!llvm.ptr<1>, i32, i32, i32, f32, f32) -> ()
      llvm.call @store_pair(%c, %lower, %rows, %column, %s2, %s3) : (!llvm.ptr<1>, i32, i32, i32, f32, f32) -> ()
    }
    llvm.return
  }
}

func.func @matmul(%a: tensor<100x192xbf16>, %b: tensor<192x64xbf16>) -> tensor<100x64xf32> {
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %c128 = arith.constant 128 : index
  %rows = arith.constant 100 : i32
  %bytes = arith.constant 32768 : i32
  %am = bufferization.to_buffer %a : tensor<100x192xbf16> to memref<100x192xbf16>
  %bm = bufferization.to_buffer %b : tensor<192x64xbf16> to memref<192x64xbf16>
  %cm = memref.alloc() : memref<100x64xf32>
  %ai = memref.extract_aligned_pointer_as_index %am : memref<100x192xbf16> -> index
  %bi = memref.extract_aligned_pointer_as_index %bm : memref<192x64xbf16> -> index
  %ci = memref.extract_aligned_pointer_as_index %cm : memref<100x64xf32> -> index
  %a64 = arith.index_cast %ai : index to i64
  %b64 = arith.index_cast %bi : index to i64
  %c64 = arith.index_cast %ci : index to i64
  %pa = llvm.inttoptr %a64 : i64 to !llvm.ptr
  %pb = llvm.inttoptr %b64 : i64 to !llvm.ptr
  %pc = llvm.inttoptr %c64 : i64 to !llvm.ptr
  gpu.launch_func @kernels::@matmul blocks in (%c2, %c1, %c1) threads in (%c128, %c1, %c1)
      dynamic_shared_memory_size %bytes
      args(%pa : !llvm.ptr, %pb : !llvm.ptr, %pc : !llvm.ptr, %rows : i32)
  %c = bufferization.to_tensor %cm restrict : memref<100x64xf32> to tensor<100x64xf32>
  return %c : tensor<100x64xf32>
}
}
