// RUN: sparse-attn-opt %s --sparse-attn-distribute-fragments --split-input-file --verify-diagnostics

func.func @threads() {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c32 = arith.constant 32 : index
  %c48 = arith.constant 48 : index
  // expected-error@below {{'gpu.launch' op has no constant number of whole warps along x}}
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %c1, %gy = %c1, %gz = %c1)
             threads(%tx, %ty, %tz) in (%sx = %c48, %sy = %c1, %sz = %c1) {
    gpu.terminator
  }
  return
}

// -----

func.func @unknown_threads(%n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c32 = arith.constant 32 : index
  // expected-error@below {{'gpu.launch' op has no constant number of whole warps along x}}
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %c1, %gy = %c1, %gz = %c1)
             threads(%tx, %ty, %tz) in (%sx = %n, %sy = %c1, %sz = %c1) {
    gpu.terminator
  }
  return
}

// -----

func.func @transpose(%q: memref<16x16xf32, 1>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c32 = arith.constant 32 : index
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %c1, %gy = %c1, %gz = %c1)
             threads(%tx, %ty, %tz) in (%sx = %c32, %sy = %c1, %sz = %c1) {
    %zero = arith.constant 0.0 : f32
    %s = vector.transfer_read %q[%c0, %c0], %zero {in_bounds = [true, true]}
      : memref<16x16xf32, 1>, vector<16x16xf32>
    // expected-error@below {{'vector.transpose' op is not of the form that kernels are made of; 'sparse-attn-verify-gpu-form' says what is wrong}}
    %t = vector.transpose %s, [1, 0] : vector<16x16xf32> to vector<16x16xf32>
    gpu.terminator
  }
  return
}

// -----

// Over queries: elements of a column are in other lanes and warps.
func.func @reduction(%q: memref<16x16xf32, 1>, %acc: vector<16xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c32 = arith.constant 32 : index
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %c1, %gy = %c1, %gz = %c1)
             threads(%tx, %ty, %tz) in (%sx = %c32, %sy = %c1, %sz = %c1) {
    %zero = arith.constant 0.0 : f32
    %s = vector.transfer_read %q[%c0, %c0], %zero {in_bounds = [true, true]}
      : memref<16x16xf32, 1>, vector<16x16xf32>
    // expected-error@below {{'vector.multi_reduction' op is not of the form that kernels are made of; 'sparse-attn-verify-gpu-form' says what is wrong}}
    %r = vector.multi_reduction <add>, %s, %acc [0] : vector<16x16xf32> to vector<16xf32>
    gpu.terminator
  }
  return
}

// -----

#qd = affine_map<(m, n, d) -> (m, d)>
#nd = affine_map<(m, n, d) -> (n, d)>
#mn = affine_map<(m, n, d) -> (m, n)>

func.func @product(%k: memref<16x16xf16, 1>, %left: vector<16x16xf16>, %zeros: vector<16x16xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c32 = arith.constant 32 : index
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %c1, %gy = %c1, %gz = %c1)
             threads(%tx, %ty, %tz) in (%sx = %c32, %sy = %c1, %sz = %c1) {
    %zero = arith.constant 0.0 : f16
    %right = vector.transfer_read %k[%c0, %c0], %zero {in_bounds = [true, true]}
      : memref<16x16xf16, 1>, vector<16x16xf16>
    // expected-error@below {{'vector.contract' op takes no right operand from shared memory; run 'sparse-attn-stage-operands' first}}
    %s = vector.contract {indexing_maps = [#qd, #nd, #mn],
                          iterator_types = ["parallel", "parallel", "reduction"],
                          kind = #vector.kind<add>} %left, %right, %zeros
      : vector<16x16xf16>, vector<16x16xf16> into vector<16x16xf32>
    gpu.terminator
  }
  return
}

// -----

func.func @gather(%table: memref<16xi32, 1>, %mask: vector<16x16xi1>, %none: vector<16x16xi32>, %at: vector<16x16xindex>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c32 = arith.constant 32 : index
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %c1, %gy = %c1, %gz = %c1)
             threads(%tx, %ty, %tz) in (%sx = %c32, %sy = %c1, %sz = %c1) {
    // expected-error@below {{'vector.gather' op is not of the form that kernels are made of; 'sparse-attn-verify-gpu-form' says what is wrong}}
    %entry = vector.gather %table[%c0] [%at], %mask, %none
      : memref<16xi32, 1>, vector<16x16xindex>, vector<16x16xi1>, vector<16x16xi32> into vector<16x16xi32>
    gpu.terminator
  }
  return
}

// -----

// No rule.
func.func @unknown(%q: memref<16x16xf32, 1>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c32 = arith.constant 32 : index
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %c1, %gy = %c1, %gz = %c1)
             threads(%tx, %ty, %tz) in (%sx = %c32, %sy = %c1, %sz = %c1) {
    %zero = arith.constant 0.0 : f32
    %s = vector.transfer_read %q[%c0, %c0], %zero {in_bounds = [true, true]}
      : memref<16x16xf32, 1>, vector<16x16xf32>
    // expected-error@below {{'vector.shape_cast' op is not of the form that kernels are made of; 'sparse-attn-verify-gpu-form' says what is wrong}}
    %t = vector.shape_cast %s : vector<16x16xf32> to vector<256xf32>
    gpu.terminator
  }
  return
}

// -----

// Columns may not be missing.
func.func @columns(%q: memref<16x?xf32, 1>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c32 = arith.constant 32 : index
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %c1, %gy = %c1, %gz = %c1)
             threads(%tx, %ty, %tz) in (%sx = %c32, %sy = %c1, %sz = %c1) {
    %zero = arith.constant 0.0 : f32
    // expected-error@below {{'vector.transfer_read' op is not of the form that kernels are made of; 'sparse-attn-verify-gpu-form' says what is wrong}}
    %s = vector.transfer_read %q[%c0, %c0], %zero {in_bounds = [true, false]}
      : memref<16x?xf32, 1>, vector<16x16xf32>
    gpu.terminator
  }
  return
}

// -----

func.func @transposed_write(%q: memref<16x16xf32, 1>, %o: memref<16x16xf32, 1>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c32 = arith.constant 32 : index
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %c1, %gy = %c1, %gz = %c1)
             threads(%tx, %ty, %tz) in (%sx = %c32, %sy = %c1, %sz = %c1) {
    %zero = arith.constant 0.0 : f32
    %s = vector.transfer_read %q[%c0, %c0], %zero {in_bounds = [true, true]}
      : memref<16x16xf32, 1>, vector<16x16xf32>
    // expected-error@below {{'vector.transfer_write' op is not of the form that kernels are made of; 'sparse-attn-verify-gpu-form' says what is wrong}}
    vector.transfer_write %s, %o[%c0, %c0]
      {in_bounds = [true, true], permutation_map = affine_map<(i, j) -> (j, i)>}
      : vector<16x16xf32>, memref<16x16xf32, 1>
    gpu.terminator
  }
  return
}

// -----

func.func @few_rows(%q: memref<16x16xf32, 1>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c64 = arith.constant 64 : index
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %c1, %gy = %c1, %gz = %c1)
             threads(%tx, %ty, %tz) in (%sx = %c64, %sy = %c1, %sz = %c1) {
    %zero = arith.constant 0.0 : f32
    // expected-error@below {{is of 16 rows, which 2 warps of 16 rows each cannot share evenly, and no product takes it from shared memory}}
    %s = vector.transfer_read %q[%c0, %c0], %zero {in_bounds = [true, true]}
      : memref<16x16xf32, 1>, vector<16x16xf32>
    gpu.terminator
  }
  return
}

// -----

func.func @two_layouts(%q: memref<32x16xf16, 1>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c64 = arith.constant 64 : index
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %c1, %gy = %c1, %gz = %c1)
             threads(%tx, %ty, %tz) in (%sx = %c64, %sy = %c1, %sz = %c1) {
    %zero = arith.constant 0.0 : f16
    %shared = gpu.dynamic_shared_memory : memref<?xi8, #gpu.address_space<workgroup>>
    %v = sparse_attn_gpu.staged_tile %shared[%c0]
      : memref<?xi8, #gpu.address_space<workgroup>> -> vector<32x16xf16>
    %s = vector.transfer_read %q[%c0, %c0], %zero {in_bounds = [true, true]}
      : memref<32x16xf16, 1>, vector<32x16xf16>
    // expected-error@below {{is not of the form that kernels are made of; 'sparse-attn-verify-gpu-form' says what is wrong}}
    %sum = arith.addf %s, %v : vector<32x16xf16>
    gpu.terminator
  }
  return
}

// -----

func.func @row_of_fragments(%q: memref<32x16xf16, 1>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c64 = arith.constant 64 : index
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %c1, %gy = %c1, %gz = %c1)
             threads(%tx, %ty, %tz) in (%sx = %c64, %sy = %c1, %sz = %c1) {
    %zero = arith.constant 0.0 : f16
    %s = vector.transfer_read %q[%c0, %c0], %zero {in_bounds = [true, true]}
      : memref<32x16xf16, 1>, vector<32x16xf16>
    // expected-error@below {{is not of the form that kernels are made of; 'sparse-attn-verify-gpu-form' says what is wrong}}
    %row = vector.extract %s[%bx] : vector<16xf16> from vector<32x16xf16>
    gpu.terminator
  }
  return
}
