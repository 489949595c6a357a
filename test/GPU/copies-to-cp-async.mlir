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
