// o[j] = sum over i of x[i, j], with 11 rows of 256 numbers: one block of two warps,
// to whom rows come through a ring of two slots.
//
//   for each row i:
//     copy row i + 1, once its slot is empty
//     wait until row i is full; each thread adds 4 numbers that another has copied
//     each warp arrives at what says that the slot is empty
//
// A slot has 1024 bytes; behind the slots are the mbarriers, full of both slots and
// empty of both.

module attributes {gpu.container_module} {
gpu.module @kernels {
  llvm.mlir.global external @smem() {addr_space = 3 : i32, alignment = 16 : i64} : !llvm.array<0 x i8>

  llvm.func @mbarrier(%number: i32) -> !llvm.ptr<3> {
    %c3 = arith.constant 3 : i32
    %slots = arith.constant 2048 : i32
    %smem = llvm.mlir.addressof @smem : !llvm.ptr<3>
    %place = arith.shli %number, %c3 : i32
    %offset = arith.addi %slots, %place : i32
    %address = llvm.getelementptr %smem[%offset] : (!llvm.ptr<3>, i32) -> !llvm.ptr<3>, i8
    llvm.return %address : !llvm.ptr<3>
  }

  llvm.func @slot(%row: i32) -> i32 {
    %c1 = arith.constant 1 : i32
    %slot = arith.andi %row, %c1 : i32
    llvm.return %slot : i32
  }

  // The phase of a slot's mbarriers for a row.
  llvm.func @parity(%row: i32) -> i32 {
    %c1 = arith.constant 1 : i32
    %turn = arith.shrui %row, %c1 : i32
    %parity = arith.andi %turn, %c1 : i32
    llvm.return %parity : i32
  }

  llvm.func @wait(%address: !llvm.ptr<3>, %parity: i32) {
    %true = arith.constant true
    scf.while : () -> () {
      %done = nvvm.mbarrier.test.wait %address, %parity : !llvm.ptr<3>, i32 -> i1
      %again = arith.xori %done, %true : i1
      scf.condition(%again)
    } do {
      scf.yield
    }
    llvm.return
  }

  // 16 bytes a thread.
  llvm.func @fill(%x: !llvm.ptr<1>, %row: i32) {
    %c1 = arith.constant 1 : i32
    %c2 = arith.constant 2 : i32
    %c4 = arith.constant 4 : i32
    %c8 = arith.constant 8 : i32
    %c10 = arith.constant 10 : i32
    %tid = nvvm.read.ptx.sreg.tid.x : i32
    %slot = llvm.call @slot(%row) : (i32) -> i32
    %parity = llvm.call @parity(%row) : (i32) -> i32
    %number = arith.addi %slot, %c2 : i32
    %empty = llvm.call @mbarrier(%number) : (i32) -> !llvm.ptr<3>
    %before = arith.xori %parity, %c1 : i32
    llvm.call @wait(%empty, %before) : (!llvm.ptr<3>, i32) -> () // empty
    %start = arith.shli %row, %c8 : i32
    %mine = arith.shli %tid, %c2 : i32
    %index = arith.addi %start, %mine : i32
    %source = llvm.getelementptr %x[%index] : (!llvm.ptr<1>, i32) -> !llvm.ptr<1>, f32
    %smem = llvm.mlir.addressof @smem : !llvm.ptr<3>
    %slot_start = arith.shli %slot, %c10 : i32
    %place = arith.shli %tid, %c4 : i32
    %offset = arith.addi %slot_start, %place : i32
    %target = llvm.getelementptr %smem[%offset] : (!llvm.ptr<3>, i32) -> !llvm.ptr<3>, i8
    nvvm.cp.async.shared.global %target, %source, 16, cache = cg : !llvm.ptr<3>, !llvm.ptr<1>
    %full = llvm.call @mbarrier(%slot) : (i32) -> !llvm.ptr<3>
    nvvm.cp.async.mbarrier.arrive %full {noinc = true} : !llvm.ptr<3>
    llvm.return
  }

  llvm.func @column_sum(%x: !llvm.ptr<1>, %o: !llvm.ptr<1>, %rows: i32)
      attributes {gpu.kernel, nvvm.kernel, nvvm.reqntid = array<i32: 64, 1, 1>} {
    %c0 = arith.constant 0 : i32
    %c1 = arith.constant 1 : i32
    %c2 = arith.constant 2 : i32
    %c3 = arith.constant 3 : i32
    %c4 = arith.constant 4 : i32
    %c10 = arith.constant 10 : i32
    %c31 = arith.constant 31 : i32
    %c63 = arith.constant 63 : i32
    %threads = arith.constant 64 : i32
    %warps = arith.constant 2 : i32
    %all = arith.constant -1 : i32
    %zero = arith.constant dense<0.0> : vector<4xf32>
    %tid = nvvm.read.ptx.sreg.tid.x : i32
    %lane = nvvm.read.ptx.sreg.laneid : i32
    %first = arith.cmpi eq, %tid, %c0 : i32
    %first_lane = arith.cmpi eq, %lane, %c0 : i32
    %full0 = llvm.call @mbarrier(%c0) : (i32) -> !llvm.ptr<3>
    %full1 = llvm.call @mbarrier(%c1) : (i32) -> !llvm.ptr<3>
    %empty0 = llvm.call @mbarrier(%c2) : (i32) -> !llvm.ptr<3>
    %empty1 = llvm.call @mbarrier(%c3) : (i32) -> !llvm.ptr<3>
    scf.if %first {
      nvvm.mbarrier.init %full0, %threads : !llvm.ptr<3>, i32
      nvvm.mbarrier.init %full1, %threads : !llvm.ptr<3>, i32
      nvvm.mbarrier.init %empty0, %warps : !llvm.ptr<3>, i32
      nvvm.mbarrier.init %empty1, %warps : !llvm.ptr<3>, i32
    }
    nvvm.barrier0
    llvm.call @fill(%x, %c0) : (!llvm.ptr<1>, i32) -> ()
    %other = arith.subi %c63, %tid : i32
    %smem = llvm.mlir.addressof @smem : !llvm.ptr<3>

    %sum = scf.for %row = %c0 to %rows step %c1 iter_args(%acc = %zero) -> vector<4xf32> : i32 {
      %next = arith.addi %row, %c1 : i32
      %more = arith.cmpi slt, %next, %rows : i32
      scf.if %more {
        llvm.call @fill(%x, %next) : (!llvm.ptr<1>, i32) -> ()
      }
      %slot = llvm.call @slot(%row) : (i32) -> i32
      %parity = llvm.call @parity(%row) : (i32) -> i32
      %full = llvm.call @mbarrier(%slot) : (i32) -> !llvm.ptr<3>
      llvm.call @wait(%full, %parity) : (!llvm.ptr<3>, i32) -> () // full
      %slot_start = arith.shli %slot, %c10 : i32
      %place = arith.shli %other, %c4 : i32
      %offset = arith.addi %slot_start, %place : i32
      %source = llvm.getelementptr %smem[%offset] : (!llvm.ptr<3>, i32) -> !llvm.ptr<3>, i8
      %value = llvm.load %source : !llvm.ptr<3> -> vector<4xf32>
      %added = llvm.fadd %acc, %value : vector<4xf32>
      %number = arith.addi %slot, %c2 : i32
      %empty = llvm.call @mbarrier(%number) : (i32) -> !llvm.ptr<3>
      nvvm.bar.warp.sync %all : i32
      scf.if %first_lane {
        %state = nvvm.mbarrier.arrive %empty : !llvm.ptr<3> -> i64
      }
      scf.yield %added : vector<4xf32>
    }
    %mine = arith.shli %other, %c2 : i32
    %result = llvm.getelementptr %o[%mine] : (!llvm.ptr<1>, i32) -> !llvm.ptr<1>, f32
    llvm.store %sum, %result : vector<4xf32>, !llvm.ptr<1>
    nvvm.barrier0
    scf.if %first {
      nvvm.mbarrier.inval %full0 : !llvm.ptr<3>
      nvvm.mbarrier.inval %empty0 : !llvm.ptr<3>
    }
    llvm.return
  }
}

func.func @column_sum(%x: tensor<11x256xf32>) -> tensor<256xf32> {
  %c1 = arith.constant 1 : index
  %c64 = arith.constant 64 : index
  %rows = arith.constant 11 : i32
  %bytes = arith.constant 2080 : i32
  %xm = bufferization.to_buffer %x : tensor<11x256xf32> to memref<11x256xf32>
  %om = memref.alloc() : memref<256xf32>
  %xi = memref.extract_aligned_pointer_as_index %xm : memref<11x256xf32> -> index
  %oi = memref.extract_aligned_pointer_as_index %om : memref<256xf32> -> index
  %x64 = arith.index_cast %xi : index to i64
  %o64 = arith.index_cast %oi : index to i64
  %px = llvm.inttoptr %x64 : i64 to !llvm.ptr
  %po = llvm.inttoptr %o64 : i64 to !llvm.ptr
  gpu.launch_func @kernels::@column_sum blocks in (%c1, %c1, %c1) threads in (%c64, %c1, %c1)
      dynamic_shared_memory_size %bytes
      args(%px : !llvm.ptr, %po : !llvm.ptr, %rows : i32)
  %o = bufferization.to_tensor %om restrict : memref<256xf32> to tensor<256xf32>
  return %o : tensor<256xf32>
}
}
