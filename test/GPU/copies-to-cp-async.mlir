// Copies become instructions of threads, and tokens groups of copies.
//
// RUN: sparse-attn-opt %s --allow-unregistered-dialect --sparse-attn-copies-to-cp-async --canonicalize | FileCheck %s

#global = #gpu.address_space<global>
#shared = #gpu.address_space<workgroup>

// A thread copies 16 bytes at a time, four rows of 128 bytes a warp. Rows past the end of
// the keys are read as nothing, and filled with zeros.
//
// CHECK-LABEL: func.func @copy
// CHECK-SAME:    %[[K:[a-z0-9]+]]: memref<?x64xf16, {{.*}}, %[[THREAD:[a-z0-9]+]]: i32
// CHECK-DAG:       %[[ROW:.*]] = arith.shrui %[[THREAD]], %c3_i32
// CHECK-DAG:       %[[CHUNK:.*]] = arith.andi %[[THREAD]], %c7_i32
// CHECK-DAG:       %[[PHASE:.*]] = arith.andi %[[ROW]], %c7_i32
// CHECK-DAG:       %[[PERMUTED:.*]] = arith.xori %[[CHUNK]], %[[PHASE]]
// CHECK-DAG:       %[[SIZE:.*]] = memref.dim %[[K]], %c0
// CHECK-DAG:       %[[END:.*]] = arith.index_cast %[[SIZE]] : index to i32
// CHECK-DAG:       %[[PRESENT:.*]] = arith.cmpi slt, %[[ROW]], %[[END]]
// CHECK-DAG:       %[[BYTES:.*]] = arith.select %[[PRESENT]], %c16_i32, %c0_i32
// CHECK:           nvvm.cp.async.shared.global %{{.*}}, %{{.*}}, 16, cache = cg, %[[BYTES]]
// CHECK-COUNT-3:   nvvm.cp.async.shared.global
// CHECK-NEXT:      nvvm.cp.async.commit.group
// CHECK-NEXT:      nvvm.cp.async.wait.group 0
// CHECK-NOT:       nvvm.cp.async
func.func @copy(%k: memref<?x64xf16, strided<[64, 1], offset: ?>, #global>,
                %m: memref<?xi8, #shared>, %thread: i32) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c32 = arith.constant 32 : index
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %c1, %gy = %c1, %gz = %c1)
             threads(%tx, %ty, %tz) in (%sx = %c32, %sy = %c1, %sz = %c1) {
    %copy = sparse_attn_gpu.stage %k to %m[%c0] rows 16 thread %thread
      : memref<?x64xf16, strided<[64, 1], offset: ?>, #global>, memref<?xi8, #shared>
    sparse_attn_gpu.wait %copy
    gpu.terminator
  }
  return
}

// Where a loop counts tiles in 32 bits, as registers are few, what is the same for all tiles of a
// matrix comes first, so that it keeps one pointer for it: the chunk, then the head; at last come
// the rows of the tile.
//
// CHECK-LABEL: func.func @matrix
// CHECK-SAME:    %[[K:[a-z0-9]+]]: memref<?x?x?x64xf16, {{.*}}, %[[HEAD:[a-z0-9]+]]: index, %[[ROW:[a-z0-9]+]]: index
// CHECK:           %[[BUFFER:.*]] = llvm.extractvalue %{{.*}}[1]
// CHECK:           %{{.*}}, %{{.*}}, %{{.*}}, %[[STRIDES:.*]]:4 = memref.extract_strided_metadata %[[K]]
// CHECK-DAG:       %[[H:.*]] = arith.index_cast %[[HEAD]] : index to i64
// CHECK-DAG:       %[[BETWEEN:.*]] = arith.index_cast %[[STRIDES]]#1 : index to i64
// CHECK-DAG:       %[[BEFORE:.*]] = arith.muli %[[H]], %[[BETWEEN]]
// CHECK-DAG:       %[[FIRST:.*]] = arith.index_cast %[[ROW]] : index to i64
// CHECK:           %[[CHUNK:.*]] = llvm.getelementptr %[[BUFFER]]
// CHECK:           %[[MATRIX:.*]] = llvm.getelementptr %[[CHUNK]][%[[BEFORE]]]
// CHECK:           %[[ROWS:.*]] = arith.muli %[[FIRST]], %{{.*}} : i64
// CHECK:           %[[SOURCE:.*]] = llvm.getelementptr %[[MATRIX]][%[[ROWS]]]
// CHECK:           nvvm.cp.async.shared.global %{{.*}}, %[[SOURCE]], 16
func.func @matrix(%k: memref<?x?x?x64xf16, strided<[?, ?, ?, 1]>, #global>, %head: index,
                  %row: index, %m: memref<?xi8, #shared>, %thread: i32) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c32 = arith.constant 32 : index
  %first = arith.constant 0 : i32
  %one = arith.constant 1 : i32
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %c1, %gy = %c1, %gz = %c1)
             threads(%tx, %ty, %tz) in (%sx = %c32, %sy = %c1, %sz = %c1) {
    scf.for %t = %first to %one step %one : i32 {
      %rows = memref.subview %k[0, %head, %row, 0] [1, 1, 16, 64] [1, 1, 1, 1]
        : memref<?x?x?x64xf16, strided<[?, ?, ?, 1]>, #global>
          to memref<16x64xf16, strided<[?, 1], offset: ?>, #global>
      %copy = sparse_attn_gpu.stage %rows to %m[%c0] rows 16 thread %thread
        : memref<16x64xf16, strided<[?, 1], offset: ?>, #global>, memref<?xi8, #shared>
      sparse_attn_gpu.wait %copy
    }
    gpu.terminator
  }
  return
}

// A row that the region names is looked up when its copy starts, once for all chunks of it,
// and is the last one where it is past the end: nothing is filled with zeros. A thread that
// has no row to copy looks for none.
//
// CHECK-LABEL: func.func @rows
// CHECK-SAME:    %[[K:[a-z0-9]+]]: memref<?x32xf16, {{.*}}, %[[THREAD:[a-z0-9]+]]: i32, %[[TABLE:[a-z0-9]+]]: memref<16xi32
// CHECK-DAG:       %[[ROW:.*]] = arith.shrui %[[THREAD]], %c2_i32
// CHECK-DAG:       %[[INSIDE:.*]] = arith.cmpi slt, %[[ROW]], %c16_i32
// CHECK:           scf.if %[[INSIDE]] {
// CHECK:             %[[M:.*]] = arith.index_castui %[[ROW]] : i32 to index
// CHECK:             %[[AT:.*]] = memref.load %[[TABLE]][%[[M]]]
// CHECK:             %[[SIZE:.*]] = memref.dim %[[K]], %c0
// CHECK:             %[[END:.*]] = arith.index_cast %[[SIZE]] : index to i32
// CHECK:             %[[LAST:.*]] = arith.addi %[[END]], %c-1_i32
// CHECK:             %[[FOUND:.*]] = arith.minsi %[[AT]], %[[LAST]]
// CHECK:             %[[WIDE:.*]] = arith.extui %[[FOUND]] : i32 to i64
// CHECK:             arith.muli %[[WIDE]], %c32_i64
// CHECK:             nvvm.cp.async.shared.global %{{.*}}, %{{.*}}, 16, cache =  cg : !llvm.ptr<3>, !llvm.ptr<1>
// CHECK:           nvvm.cp.async.commit.group
func.func @rows(%k: memref<?x32xf16, #global>, %m: memref<?xi8, #shared>, %thread: i32, %table: memref<16xi32, #global>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c128 = arith.constant 128 : index
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %c1, %gy = %c1, %gz = %c1)
             threads(%tx, %ty, %tz) in (%sx = %c128, %sy = %c1, %sz = %c1) {
    %copy = sparse_attn_gpu.stage %k to %m[%c0] rows 16 thread %thread at {
    ^bb0(%row: i32):
      %number = arith.index_castui %row : i32 to index
      %at = memref.load %table[%number] : memref<16xi32, #global>
      sparse_attn_gpu.yield %at
    } : memref<?x32xf16, #global>, memref<?xi8, #shared>
    sparse_attn_gpu.wait %copy
    gpu.terminator
  }
  return
}

// Copies that are waited for together are one group; behind the wait stands a barrier, for
// what other threads have copied.
//
// CHECK-LABEL: func.func @joined
// CHECK:           nvvm.cp.async.shared.global
// CHECK-NOT:       commit
// CHECK:           nvvm.cp.async.shared.global
// CHECK-NEXT:      nvvm.cp.async.commit.group
// CHECK-NEXT:      nvvm.cp.async.wait.group 0
// CHECK-NEXT:      gpu.barrier
// CHECK-NEXT:      gpu.terminator
func.func @joined(%k: memref<16x16xf16, #global>, %m: memref<?xi8, #shared>, %thread: i32, %n: index, %c: i1) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c32 = arith.constant 32 : index
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %c1, %gy = %c1, %gz = %c1)
             threads(%tx, %ty, %tz) in (%sx = %c32, %sy = %c1, %sz = %c1) {
    %a = sparse_attn_gpu.stage %k to %m[%c0] rows 16 thread %thread : memref<16x16xf16, #global>, memref<?xi8, #shared>
    %b = sparse_attn_gpu.stage %k to %m[%c0] rows 16 thread %thread : memref<16x16xf16, #global>, memref<?xi8, #shared>
    %both = sparse_attn_gpu.join(%a, %b)
    sparse_attn_gpu.wait %both
    gpu.terminator
  }
  return
}

// Each of two tokens has a group of its own: while the first is waited for, the second may
// go on. Of several tokens the youngest counts.
//
// CHECK-LABEL: func.func @apart
// CHECK-COUNT-3:   nvvm.cp.async.commit.group
// CHECK:           nvvm.cp.async.wait.group 2
// CHECK-NEXT:      gpu.barrier
// CHECK-NEXT:      nvvm.cp.async.wait.group 1
// CHECK-NEXT:      gpu.barrier
// CHECK-NEXT:      gpu.terminator
func.func @apart(%k: memref<16x16xf16, #global>, %m: memref<?xi8, #shared>, %thread: i32, %n: index, %c: i1) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c32 = arith.constant 32 : index
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %c1, %gy = %c1, %gz = %c1)
             threads(%tx, %ty, %tz) in (%sx = %c32, %sy = %c1, %sz = %c1) {
    %a = sparse_attn_gpu.stage %k to %m[%c0] rows 16 thread %thread : memref<16x16xf16, #global>, memref<?xi8, #shared>
    %b = sparse_attn_gpu.stage %k to %m[%c0] rows 16 thread %thread : memref<16x16xf16, #global>, memref<?xi8, #shared>
    %d = sparse_attn_gpu.stage %k to %m[%c0] rows 16 thread %thread : memref<16x16xf16, #global>, memref<?xi8, #shared>
    sparse_attn_gpu.wait %a
    sparse_attn_gpu.wait %b, %a
    gpu.terminator
  }
  return
}

// Where there is nothing to wait for, threads only meet.
//
// CHECK-LABEL: func.func @nothing
// CHECK-NOT:       nvvm
// CHECK:           gpu.barrier
// CHECK-NEXT:      gpu.terminator
func.func @nothing(%k: memref<16x16xf16, #global>, %m: memref<?xi8, #shared>, %thread: i32, %n: index, %c: i1) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c32 = arith.constant 32 : index
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %c1, %gy = %c1, %gz = %c1)
             threads(%tx, %ty, %tz) in (%sx = %c32, %sy = %c1, %sz = %c1) {
    %nothing = sparse_attn_gpu.join()
    sparse_attn_gpu.wait %nothing
    gpu.terminator
  }
  return
}

// A branch that may copy nothing is a group in any case, so that all threads count the same.
//
// CHECK-LABEL: func.func @branch
// CHECK:           scf.if
// CHECK-NOT:       commit
// CHECK:           }
// CHECK-NEXT:      nvvm.cp.async.commit.group
// CHECK:           nvvm.cp.async.commit.group
// CHECK-NEXT:      nvvm.cp.async.wait.group 1
// CHECK-NEXT:      gpu.barrier
func.func @branch(%k: memref<16x16xf16, #global>, %m: memref<?xi8, #shared>, %thread: i32, %n: index, %c: i1) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c32 = arith.constant 32 : index
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %c1, %gy = %c1, %gz = %c1)
             threads(%tx, %ty, %tz) in (%sx = %c32, %sy = %c1, %sz = %c1) {
    %first = scf.if %c -> (!sparse_attn_gpu.token) {
      %a = sparse_attn_gpu.stage %k to %m[%c0] rows 16 thread %thread : memref<16x16xf16, #global>, memref<?xi8, #shared>
      %b = sparse_attn_gpu.stage %k to %m[%c0] rows 16 thread %thread : memref<16x16xf16, #global>, memref<?xi8, #shared>
      %both = sparse_attn_gpu.join(%a, %b)
      scf.yield %both : !sparse_attn_gpu.token
    } else {
      %nothing = sparse_attn_gpu.join()
      scf.yield %nothing : !sparse_attn_gpu.token
    }
    %d = sparse_attn_gpu.stage %k to %m[%c0] rows 16 thread %thread : memref<16x16xf16, #global>, memref<?xi8, #shared>
    sparse_attn_gpu.wait %first
    gpu.terminator
  }
  return
}

// Where two ways lead to a wait, the one with fewer groups counts.
//
// CHECK-LABEL: func.func @perhaps
// CHECK:           nvvm.cp.async.commit.group
// CHECK:           scf.if
// CHECK:             nvvm.cp.async.commit.group
// CHECK:           }
// CHECK:           nvvm.cp.async.wait.group 0
func.func @perhaps(%k: memref<16x16xf16, #global>, %m: memref<?xi8, #shared>, %thread: i32, %n: index, %c: i1) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c32 = arith.constant 32 : index
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %c1, %gy = %c1, %gz = %c1)
             threads(%tx, %ty, %tz) in (%sx = %c32, %sy = %c1, %sz = %c1) {
    %a = sparse_attn_gpu.stage %k to %m[%c0] rows 16 thread %thread : memref<16x16xf16, #global>, memref<?xi8, #shared>
    scf.if %c {
      %b = sparse_attn_gpu.stage %k to %m[%c0] rows 16 thread %thread : memref<16x16xf16, #global>, memref<?xi8, #shared>
    }
    sparse_attn_gpu.wait %a
    gpu.terminator
  }
  return
}

// A loop that is two tiles ahead: in each iteration all but the newest group must have ended,
// and behind the loop, which may not have run, still one.
//
// CHECK-LABEL: func.func @ring
// CHECK-COUNT-2:   nvvm.cp.async.commit.group
// CHECK:           scf.for %{{[a-z0-9]+}} = %c0 to %{{[a-z0-9]+}} step %c1 {
// CHECK-NEXT:        nvvm.cp.async.wait.group 1
// CHECK-NEXT:        gpu.barrier
// CHECK:             nvvm.cp.async.commit.group
// CHECK-NEXT:      }
// CHECK-NEXT:      nvvm.cp.async.wait.group 0
func.func @ring(%k: memref<16x16xf16, #global>, %m: memref<?xi8, #shared>, %thread: i32, %n: index, %c: i1) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c32 = arith.constant 32 : index
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %c1, %gy = %c1, %gz = %c1)
             threads(%tx, %ty, %tz) in (%sx = %c32, %sy = %c1, %sz = %c1) {
    %a = sparse_attn_gpu.stage %k to %m[%c0] rows 16 thread %thread : memref<16x16xf16, #global>, memref<?xi8, #shared>
    %b = sparse_attn_gpu.stage %k to %m[%c0] rows 16 thread %thread : memref<16x16xf16, #global>, memref<?xi8, #shared>
    %older, %newer = scf.for %i = %c0 to %n step %c1 iter_args(%x = %a, %y = %b)
        -> (!sparse_attn_gpu.token, !sparse_attn_gpu.token) {
      sparse_attn_gpu.wait %x
      %d = sparse_attn_gpu.stage %k to %m[%c0] rows 16 thread %thread : memref<16x16xf16, #global>, memref<?xi8, #shared>
      scf.yield %y, %d : !sparse_attn_gpu.token, !sparse_attn_gpu.token
    }
    sparse_attn_gpu.wait %newer
    gpu.terminator
  }
  return
}

// The two tokens change places, so each is as young as the younger one.
//
// CHECK-LABEL: func.func @turned
// CHECK-COUNT-2:   nvvm.cp.async.commit.group
// CHECK:           scf.for
// CHECK-NEXT:        nvvm.cp.async.wait.group 0
func.func @turned(%k: memref<16x16xf16, #global>, %m: memref<?xi8, #shared>, %thread: i32, %n: index, %c: i1) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c32 = arith.constant 32 : index
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %c1, %gy = %c1, %gz = %c1)
             threads(%tx, %ty, %tz) in (%sx = %c32, %sy = %c1, %sz = %c1) {
    %a = sparse_attn_gpu.stage %k to %m[%c0] rows 16 thread %thread : memref<16x16xf16, #global>, memref<?xi8, #shared>
    %b = sparse_attn_gpu.stage %k to %m[%c0] rows 16 thread %thread : memref<16x16xf16, #global>, memref<?xi8, #shared>
    %r:2 = scf.for %i = %c0 to %n step %c1 iter_args(%x = %a, %y = %b)
        -> (!sparse_attn_gpu.token, !sparse_attn_gpu.token) {
      sparse_attn_gpu.wait %x
      scf.yield %y, %x : !sparse_attn_gpu.token, !sparse_attn_gpu.token
    }
    gpu.terminator
  }
  return
}

// Loops and branches keep what else they hand on.
//
// CHECK-LABEL: func.func @other_values
// CHECK:           %[[SUM:.*]] = scf.for {{.*}} iter_args(%[[X:.*]] = %{{.*}}) -> (i32)
// CHECK-NEXT:        nvvm.cp.async.wait.group 0
// CHECK:             scf.yield %{{.*}} : i32
// CHECK:           "test.use"(%[[SUM]])
func.func @other_values(%k: memref<16x16xf16, #global>, %m: memref<?xi8, #shared>, %thread: i32, %n: index, %c: i1) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c32 = arith.constant 32 : index
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %c1, %gy = %c1, %gz = %c1)
             threads(%tx, %ty, %tz) in (%sx = %c32, %sy = %c1, %sz = %c1) {
    %a = sparse_attn_gpu.stage %k to %m[%c0] rows 16 thread %thread : memref<16x16xf16, #global>, memref<?xi8, #shared>
    %sum, %last = scf.for %i = %c0 to %n step %c1 iter_args(%x = %thread, %t = %a)
        -> (i32, !sparse_attn_gpu.token) {
      sparse_attn_gpu.wait %t
      %y = arith.addi %x, %x : i32
      scf.yield %y, %t : i32, !sparse_attn_gpu.token
    }
    "test.use"(%sum) : (i32) -> ()
    gpu.terminator
  }
  return
}

// A ring of two slots has four mbarriers: two that expect the copies of 64 threads, and two
// that expect two warps. Tile n is in slot n mod 2, in a phase whose parity is n / 2 mod 2; a
// thread that reserves the slot waits for the phase before. Nobody counts groups.
//
// RUN: sparse-attn-opt %s --allow-unregistered-dialect --sparse-attn-copies-to-cp-async=target=sm_90 --canonicalize | FileCheck %s --check-prefix=SUSPEND
//
// CHECK-LABEL: func.func @apart_ring
// CHECK-SAME:    %[[THREAD:[a-z0-9]+]]: i32, %[[N:[a-z0-9]+]]: index
// CHECK-NOT:       commit
// CHECK:           %[[FIRST:.*]] = arith.cmpi eq, %[[THREAD]], %c0_i32
// CHECK-NEXT:      scf.if %[[FIRST]] {
// CHECK:             nvvm.mbarrier.init %[[BARRIERS:.*]], %c64_i32
// CHECK:             nvvm.mbarrier.init %{{.*}}, %c64_i32
// CHECK:             nvvm.mbarrier.init %{{.*}}, %c2_i32
// CHECK:             nvvm.mbarrier.init %{{.*}}, %c2_i32
// CHECK-NEXT:      }
// CHECK-NEXT:      gpu.barrier
// CHECK:           nvvm.cp.async.shared.global
// CHECK:           nvvm.cp.async.mbarrier.arrive %[[BARRIERS]] {noinc = true}
// CHECK:           scf.for %[[T:.*]] = %c0 to %[[N]]
// CHECK-DAG:         %[[NUMBER:.*]] = arith.index_castui %[[T]] : index to i32
// CHECK-DAG:         %[[SLOT:.*]] = arith.remui %[[NUMBER]], %c2_i32
// CHECK-DAG:         %[[PHASE:.*]] = arith.divui %[[NUMBER]], %c2_i32
// CHECK-DAG:         %[[BYTES:.*]] = arith.muli %[[SLOT]], %c8_i32
// CHECK-DAG:         %[[FULL:.*]] = llvm.getelementptr %[[BARRIERS]][%[[BYTES]]]
// CHECK-DAG:         %[[PARITY:.*]] = arith.andi %[[PHASE]], %c1_i32
// CHECK:             scf.while : () -> () {
// CHECK-NEXT:          %[[DONE:.*]] = nvvm.mbarrier.test.wait %[[FULL]], %[[PARITY]]
// CHECK-NEXT:          %[[AGAIN:.*]] = arith.xori %[[DONE]], %true
// CHECK-NEXT:          scf.condition(%[[AGAIN]])
// CHECK:             %[[EMPTY:.*]] = llvm.getelementptr %{{.*}}[16]
// CHECK:             %[[BEFORE:.*]] = arith.xori %{{.*}}, %c1_i32
// CHECK:               nvvm.mbarrier.test.wait %[[EMPTY]], %[[BEFORE]]
// CHECK:             nvvm.cp.async.shared.global
// CHECK:             nvvm.cp.async.mbarrier.arrive
// CHECK:             nvvm.bar.warp.sync %c-1_i32
// CHECK-NEXT:        %[[LANE:.*]] = arith.andi %[[THREAD]], %c31_i32
// CHECK-NEXT:        %[[SPEAKS:.*]] = arith.cmpi eq, %[[LANE]], %c0_i32
// CHECK-NEXT:        scf.if %[[SPEAKS]] {
// CHECK-NEXT:          nvvm.mbarrier.arrive
// CHECK-NOT:       inval
// CHECK:           gpu.terminator
//
// SUSPEND-LABEL: func.func @apart_ring
// SUSPEND-NOT:     test.wait
// SUSPEND:         nvvm.mbarrier.try_wait
// SUSPEND:         nvvm.mbarrier.try_wait
// SUSPEND-NOT:     test.wait
// SUSPEND:         gpu.terminator
func.func @apart_ring(%k: memref<16x16xf16, #global>, %m: memref<?xi8, #shared>, %thread: i32, %n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c64 = arith.constant 64 : index
  %c1024 = arith.constant 1024 : index
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %c1, %gy = %c1, %gz = %c1)
             threads(%tx, %ty, %tz) in (%sx = %c64, %sy = %c1, %sz = %c1) {
    %ring = sparse_attn_gpu.ring %m[%c1024] thread %thread : memref<?xi8, #shared> -> <2>
    %a = sparse_attn_gpu.stage %k to %m[%c0] rows 16 thread %thread : memref<16x16xf16, #global>, memref<?xi8, #shared>
    %first = sparse_attn_gpu.fill %ring[%c0] by (%a) : <2>
    %last = scf.for %t = %c0 to %n step %c1 iter_args(%this = %first) -> (!sparse_attn_gpu.token) {
      sparse_attn_gpu.wait %this of %ring[%t] : !sparse_attn_gpu.ring<2>
      %next = arith.addi %t, %c1 : index
      sparse_attn_gpu.reserve %ring[%next] : <2>
      %b = sparse_attn_gpu.stage %k to %m[%c0] rows 16 thread %thread : memref<16x16xf16, #global>, memref<?xi8, #shared>
      %later = sparse_attn_gpu.fill %ring[%next] by (%b) : <2>
      sparse_attn_gpu.release %ring[%t] thread %thread : <2>
      scf.yield %later : !sparse_attn_gpu.token
    }
    gpu.terminator
  }
  return
}

// What was copied before the ring was there, has come with its first tile. A ring that a
// loop makes anew is taken down before.
//
// CHECK-LABEL: func.func @many_rings
// CHECK:           nvvm.cp.async.shared.global
// CHECK-NOT:       commit
// CHECK:           scf.for
// CHECK:             nvvm.mbarrier.init
// CHECK:             gpu.barrier
// CHECK:             nvvm.mbarrier.test.wait
// CHECK-NOT:         wait.group
// CHECK:             gpu.barrier
// CHECK:             scf.if
// CHECK-COUNT-4:       nvvm.mbarrier.inval
// CHECK-NEXT:        }
// CHECK-NEXT:      }
func.func @many_rings(%k: memref<16x16xf16, #global>, %m: memref<?xi8, #shared>, %thread: i32, %n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c64 = arith.constant 64 : index
  %c1024 = arith.constant 1024 : index
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %c1, %gy = %c1, %gz = %c1)
             threads(%tx, %ty, %tz) in (%sx = %c64, %sy = %c1, %sz = %c1) {
    %q = sparse_attn_gpu.stage %k to %m[%c0] rows 16 thread %thread : memref<16x16xf16, #global>, memref<?xi8, #shared>
    scf.for %t = %c0 to %n step %c1 {
      %ring = sparse_attn_gpu.ring %m[%c1024] thread %thread : memref<?xi8, #shared> -> <2>
      %a = sparse_attn_gpu.stage %k to %m[%c0] rows 16 thread %thread : memref<16x16xf16, #global>, memref<?xi8, #shared>
      %first = sparse_attn_gpu.fill %ring[%c0] by (%a) : <2>
      sparse_attn_gpu.wait %first, %q of %ring[%c0] : !sparse_attn_gpu.ring<2>
    }
    gpu.terminator
  }
  return
}
