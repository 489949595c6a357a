// RUN: sparse-attn-opt %s --sparse-attn-copies-to-cp-async --split-input-file --verify-diagnostics

#global = #gpu.address_space<global>
#shared = #gpu.address_space<workgroup>

func.func @no_thread(%k: memref<16x16xf16, #global>, %m: memref<?xi8, #shared>, %thread: i32, %n: index, %c: i1) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c32 = arith.constant 32 : index
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %c1, %gy = %c1, %gz = %c1)
             threads(%tx, %ty, %tz) in (%sx = %c32, %sy = %c1, %sz = %c1) {
    // expected-error@below {{'sparse_attn_gpu.stage' op does not know the thread that executes it; run 'sparse-attn-distribute-fragments' first}}
    %a = sparse_attn_gpu.stage %k to %m[%c0] rows 16 : memref<16x16xf16, #global>, memref<?xi8, #shared>
    gpu.terminator
  }
  return
}

// -----

#global = #gpu.address_space<global>
#shared = #gpu.address_space<workgroup>

func.func @unknown_threads(%k: memref<16x16xf16, #global>, %m: memref<?xi8, #shared>, %thread: i32, %n: index, %c: i1) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c32 = arith.constant 32 : index
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %c1, %gy = %c1, %gz = %c1)
             threads(%tx, %ty, %tz) in (%sx = %n, %sy = %c1, %sz = %c1) {
    // expected-error@below {{'sparse_attn_gpu.stage' op is executed by a number of threads that is not known, or not a multiple of 32}}
    %a = sparse_attn_gpu.stage %k to %m[%c0] rows 16 thread %thread : memref<16x16xf16, #global>, memref<?xi8, #shared>
    gpu.terminator
  }
  return
}

// -----

#global = #gpu.address_space<global>
#shared = #gpu.address_space<workgroup>

func.func @half_a_warp(%k: memref<16x16xf16, #global>, %m: memref<?xi8, #shared>, %thread: i32, %n: index, %c: i1) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c32 = arith.constant 16 : index
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %c1, %gy = %c1, %gz = %c1)
             threads(%tx, %ty, %tz) in (%sx = %c32, %sy = %c1, %sz = %c1) {
    // expected-error@below {{'sparse_attn_gpu.stage' op is executed by a number of threads that is not known, or not a multiple of 32}}
    %a = sparse_attn_gpu.stage %k to %m[%c0] rows 16 thread %thread : memref<16x16xf16, #global>, memref<?xi8, #shared>
    gpu.terminator
  }
  return
}

// -----

#global = #gpu.address_space<global>
#shared = #gpu.address_space<workgroup>

func.func @outside(%t: !sparse_attn_gpu.token) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c32 = arith.constant 32 : index
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %c1, %gy = %c1, %gz = %c1)
             threads(%tx, %ty, %tz) in (%sx = %c32, %sy = %c1, %sz = %c1) {
    // expected-error@below {{'sparse_attn_gpu.wait' op takes a token from outside of the kernel}}
    sparse_attn_gpu.wait %t
    gpu.terminator
  }
  return
}

// -----

#global = #gpu.address_space<global>
#shared = #gpu.address_space<workgroup>

func.func @carried_from_outside(%t: !sparse_attn_gpu.token, %n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c32 = arith.constant 32 : index
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %c1, %gy = %c1, %gz = %c1)
             threads(%tx, %ty, %tz) in (%sx = %c32, %sy = %c1, %sz = %c1) {
    // expected-error@below {{'scf.for' op takes a token from outside of the kernel}}
    %r = scf.for %i = %c0 to %n step %c1 iter_args(%x = %t) -> (!sparse_attn_gpu.token) {
      scf.yield %x : !sparse_attn_gpu.token
    }
    gpu.terminator
  }
  return
}

// -----

#global = #gpu.address_space<global>
#shared = #gpu.address_space<workgroup>

func.func @yielded_from_outside(%t: !sparse_attn_gpu.token, %n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c32 = arith.constant 32 : index
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %c1, %gy = %c1, %gz = %c1)
             threads(%tx, %ty, %tz) in (%sx = %c32, %sy = %c1, %sz = %c1) {
    %nothing = sparse_attn_gpu.join()
    // expected-error@below {{'scf.for' op takes a token from outside of the kernel}}
    %r = scf.for %i = %c0 to %n step %c1 iter_args(%x = %nothing) -> (!sparse_attn_gpu.token) {
      scf.yield %t : !sparse_attn_gpu.token
    }
    gpu.terminator
  }
  return
}

// -----

#global = #gpu.address_space<global>
#shared = #gpu.address_space<workgroup>

func.func @while(%k: memref<16x16xf16, #global>, %m: memref<?xi8, #shared>, %thread: i32, %n: index, %c: i1) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c32 = arith.constant 32 : index
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %c1, %gy = %c1, %gz = %c1)
             threads(%tx, %ty, %tz) in (%sx = %c32, %sy = %c1, %sz = %c1) {
    %a = sparse_attn_gpu.stage %k to %m[%c0] rows 16 thread %thread : memref<16x16xf16, #global>, memref<?xi8, #shared>
    // expected-error@below {{'scf.while' op moves copies into shared memory, whose groups are counted through scf.for and scf.if only}}
    scf.while : () -> () {
      scf.condition(%c)
    } do {
      sparse_attn_gpu.wait %a
      scf.yield
    }
    gpu.terminator
  }
  return
}

// -----

#global = #gpu.address_space<global>
#shared = #gpu.address_space<workgroup>

func.func @ring_without_thread(%k: memref<16x16xf16, #global>, %m: memref<?xi8, #shared>, %thread: i32) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c32 = arith.constant 32 : index
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %c1, %gy = %c1, %gz = %c1)
             threads(%tx, %ty, %tz) in (%sx = %c32, %sy = %c1, %sz = %c1) {
    // expected-error@below {{'sparse_attn_gpu.ring' op does not know the thread that executes it; run 'sparse-attn-distribute-fragments' first}}
    %ring = sparse_attn_gpu.ring %m[%c0] : memref<?xi8, #shared> -> <2>
    gpu.terminator
  }
  return
}

// -----

#global = #gpu.address_space<global>
#shared = #gpu.address_space<workgroup>

func.func @release_without_thread(%k: memref<16x16xf16, #global>, %m: memref<?xi8, #shared>, %thread: i32) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c32 = arith.constant 32 : index
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %c1, %gy = %c1, %gz = %c1)
             threads(%tx, %ty, %tz) in (%sx = %c32, %sy = %c1, %sz = %c1) {
    %ring = sparse_attn_gpu.ring %m[%c0] thread %thread : memref<?xi8, #shared> -> <2>
    // expected-error@below {{'sparse_attn_gpu.release' op does not know the thread that executes it; run 'sparse-attn-distribute-fragments' first}}
    sparse_attn_gpu.release %ring[%c0] : <2>
    gpu.terminator
  }
  return
}

// -----

#global = #gpu.address_space<global>
#shared = #gpu.address_space<workgroup>

func.func @younger_than_the_ring(%k: memref<16x16xf16, #global>, %m: memref<?xi8, #shared>, %thread: i32) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c32 = arith.constant 32 : index
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %c1, %gy = %c1, %gz = %c1)
             threads(%tx, %ty, %tz) in (%sx = %c32, %sy = %c1, %sz = %c1) {
    %ring = sparse_attn_gpu.ring %m[%c0] thread %thread : memref<?xi8, #shared> -> <2>
    %a = sparse_attn_gpu.stage %k to %m[%c0] rows 16 thread %thread : memref<16x16xf16, #global>, memref<?xi8, #shared>
    %first = sparse_attn_gpu.fill %ring[%c0] by (%a) : <2>
    %b = sparse_attn_gpu.stage %k to %m[%c0] rows 16 thread %thread : memref<16x16xf16, #global>, memref<?xi8, #shared>
    // expected-error@below {{'sparse_attn_gpu.wait' op waits at a ring for copies that may have been started when the ring was there already}}
    sparse_attn_gpu.wait %first, %b of %ring[%c0] : !sparse_attn_gpu.ring<2>
    gpu.terminator
  }
  return
}
