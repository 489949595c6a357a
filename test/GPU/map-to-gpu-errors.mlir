// RUN: sparse-attn-opt %s --sparse-attn-map-to-gpu --split-input-file --verify-diagnostics
// RUN: not sparse-attn-opt %s --sparse-attn-map-to-gpu="warps=3" --split-input-file 2>&1 | FileCheck %s --check-prefix=SHARED
// RUN: not sparse-attn-opt %s --sparse-attn-map-to-gpu="warps=33" --split-input-file 2>&1 | FileCheck %s --check-prefix=WARPS
// RUN: not sparse-attn-opt %s --sparse-attn-map-to-gpu="warps=-1" --split-input-file 2>&1 | FileCheck %s --check-prefix=WARPS

// WARPS: error: warps must lie between 1 and 32, or be 0 to let the tile choose

func.func @tensors(%o: tensor<8xf32>) -> tensor<8xf32> {
  // expected-error@below {{'scf.forall' op has tensor results; bufferise before mapping to a GPU}}
  %r = scf.forall (%t) in (8) shared_outs(%s = %o) -> tensor<8xf32> {
    scf.forall.in_parallel {}
  }
  return %r : tensor<8xf32>
}

// -----

func.func @steps() {
  // expected-error@below {{'scf.forall' op does not count from 0 in steps of 1; normalise it before mapping to a GPU}}
  scf.forall (%t) = (0) to (8) step (2) {
  }
  return
}

// -----

// Queries of 24 rows are not a number of bands of 16.
func.func @rows(%o: memref<24x16xf32>) {
  %c0 = arith.constant 0 : index
  %zeros = arith.constant dense<0.0> : vector<24x16xf32>
  // expected-error@below {{'scf.forall' op computes tiles of 24 rows, which 1 warps of 16 rows each cannot share evenly; choose a multiple of 16 query rows or fewer warps}}
  scf.forall (%t) in (1) {
    vector.transfer_write %zeros, %o[%c0, %c0] {in_bounds = [true, true]}
      : vector<24x16xf32>, memref<24x16xf32>
  }
  return
}

// -----

// Four warps could share these, three cannot.
// SHARED: error: 'scf.forall' op computes tiles of 64 rows, which 3 warps of 16 rows each cannot share evenly; choose a multiple of 48 query rows or fewer warps
func.func @three_warps(%o: memref<64x16xf32>) {
  %c0 = arith.constant 0 : index
  %zeros = arith.constant dense<0.0> : vector<64x16xf32>
  scf.forall (%t) in (1) {
    vector.transfer_write %zeros, %o[%c0, %c0] {in_bounds = [true, true]}
      : vector<64x16xf32>, memref<64x16xf32>
  }
  return
}

// -----

func.func @allocation(%o: memref<8xi32>, %n: index) {
  scf.forall (%t) in (8) {
    // expected-error@below {{'memref.alloc' op allocates a buffer of unknown size inside a kernel, which cannot be in shared memory}}
    %list = memref.alloc(%n) : memref<?xi32>
    %entry = memref.load %list[%t] : memref<?xi32>
    memref.store %entry, %o[%t] : memref<8xi32>
  }
  return
}

// -----

// A block has at most 1024 threads.
func.func @too_many_warps(%o: memref<1024x16xf32>) {
  %c0 = arith.constant 0 : index
  %zeros = arith.constant dense<0.0> : vector<1040x16xf32>
  // expected-error@below {{'scf.forall' op computes tiles of 1040 rows, for which a block would need 65 warps; it has at most 32: choose fewer query rows}}
  scf.forall (%t) in (1) {
    vector.transfer_write %zeros, %o[%c0, %c0] {in_bounds = [false, true]}
      : vector<1040x16xf32>, memref<1024x16xf32>
  }
  return
}

// -----

// One block more than a grid takes: CUDA numbers them with 31 bits.
func.func @too_many_blocks(%o: memref<8xi32>) {
  %one = arith.constant 1 : i32
  %c0 = arith.constant 0 : index
  // expected-error@below {{'scf.forall' op has more than 2147483647 iterations, and so many blocks are the most that a grid has: split the batch}}
  scf.forall (%b, %h) in (65536, 32768) {
    memref.store %one, %o[%c0] : memref<8xi32>
  }
  return
}

// -----

// Their product fits no number.
func.func @overflow(%o: memref<8xi32>) {
  %one = arith.constant 1 : i32
  %c0 = arith.constant 0 : index
  // expected-error@below {{'scf.forall' op has more than 2147483647 iterations}}
  scf.forall (%b, %h) in (4611686018427387904, 8) {
    memref.store %one, %o[%c0] : memref<8xi32>
  }
  return
}

// -----

// A loop inside is not spread over blocks, and says so.
func.func @nested(%o: memref<8x8xi32>) {
  %one = arith.constant 1 : i32
  scf.forall (%a) in (8) {
    // expected-remark@below {{runs one iteration after another in each block, as it stands in another scf.forall, whose iterations are the blocks; take the attention out of that loop, or give the loop fewer of its dimensions}}
    scf.forall (%b) in (8) {
      memref.store %one, %o[%a, %b] : memref<8x8xi32>
    }
  }
  return
}
