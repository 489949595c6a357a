// Products and reductions: each of these is refused at the operation that breaks the form.
//
// RUN: sparse-attn-opt %s --sparse-attn-verify-gpu-form --split-input-file --verify-diagnostics

#qd = affine_map<(m, n, d) -> (m, d)>
#kd = affine_map<(m, n, d) -> (n, d)>
#qk = affine_map<(m, n, d) -> (m, n)>

func.func @maximum_of_products(%q: memref<16x32xf16>, %k: memref<16x32xf16>) {
  %c0 = arith.constant 0 : index
  %zero = arith.constant 0.0 : f16
  scf.forall (%i) in (4) {
    %s0 = arith.constant dense<0.0> : vector<16x16xf32>
    %queries = vector.transfer_read %q[%c0, %c0], %zero {in_bounds = [true, true]}
      : memref<16x32xf16>, vector<16x32xf16>
    %keys = vector.transfer_read %k[%c0, %c0], %zero {in_bounds = [true, true]}
      : memref<16x32xf16>, vector<16x32xf16>
    // expected-error@below {{'vector.contract' op is not a sum of a matrix and a product A B or A B^T of two others}}
    %s = vector.contract {indexing_maps = [#qd, #kd, #qk],
                          iterator_types = ["parallel", "parallel", "reduction"],
                          kind = #vector.kind<maxnumf>} %queries, %keys, %s0
      : vector<16x32xf16>, vector<16x32xf16> into vector<16x16xf32>
  }
  return
}

// -----

#kd = affine_map<(m, n, d) -> (n, d)>
#qk = affine_map<(m, n, d) -> (m, n)>

func.func @transposed_left(%q: memref<32x16xf16>, %k: memref<16x32xf16>) {
  %c0 = arith.constant 0 : index
  %zero = arith.constant 0.0 : f16
  scf.forall (%i) in (4) {
    %s0 = arith.constant dense<0.0> : vector<16x16xf32>
    %queries = vector.transfer_read %q[%c0, %c0], %zero {in_bounds = [true, true]}
      : memref<32x16xf16>, vector<32x16xf16>
    %keys = vector.transfer_read %k[%c0, %c0], %zero {in_bounds = [true, true]}
      : memref<16x32xf16>, vector<16x32xf16>
    // expected-error@below {{'vector.contract' op is not a sum of a matrix and a product A B or A B^T of two others}}
    %s = vector.contract {indexing_maps = [affine_map<(m, n, d) -> (d, m)>, #kd, #qk],
                          iterator_types = ["parallel", "parallel", "reduction"],
                          kind = #vector.kind<add>} %queries, %keys, %s0
      : vector<32x16xf16>, vector<16x32xf16> into vector<16x16xf32>
  }
  return
}

// -----

#qd = affine_map<(m, n, d) -> (m, d)>
#kd = affine_map<(m, n, d) -> (n, d)>
#qk = affine_map<(m, n, d) -> (m, n)>

func.func @half_sums(%q: memref<16x32xf16>, %k: memref<16x32xf16>) {
  %c0 = arith.constant 0 : index
  %zero = arith.constant 0.0 : f16
  scf.forall (%i) in (4) {
    %s0 = arith.constant dense<0.0> : vector<16x16xf16>
    %queries = vector.transfer_read %q[%c0, %c0], %zero {in_bounds = [true, true]}
      : memref<16x32xf16>, vector<16x32xf16>
    %keys = vector.transfer_read %k[%c0, %c0], %zero {in_bounds = [true, true]}
      : memref<16x32xf16>, vector<16x32xf16>
    // expected-error@below {{'vector.contract' op multiplies 'vector<16x32xf16>' and 'vector<16x32xf16>' into 'vector<16x16xf16>'; sums of products are f32}}
    %s = vector.contract {indexing_maps = [#qd, #kd, #qk],
                          iterator_types = ["parallel", "parallel", "reduction"],
                          kind = #vector.kind<add>} %queries, %keys, %s0
      : vector<16x32xf16>, vector<16x32xf16> into vector<16x16xf16>
  }
  return
}

// -----

#qd = affine_map<(m, n, d) -> (m, d)>
#kd = affine_map<(m, n, d) -> (n, d)>
#qk = affine_map<(m, n, d) -> (m, n)>

func.func @few_rows_on_the_left(%k: memref<16x32xf16>) {
  %c0 = arith.constant 0 : index
  %zero = arith.constant 0.0 : f16
  scf.forall (%i) in (4) {
    %s0 = arith.constant dense<0.0> : vector<8x16xf32>
    %queries = arith.constant dense<1.0> : vector<8x32xf16>
    %keys = vector.transfer_read %k[%c0, %c0], %zero {in_bounds = [true, true]}
      : memref<16x32xf16>, vector<16x32xf16>
    // expected-error@below {{'vector.contract' op multiplies 'vector<8x32xf16>' and 'vector<16x32xf16>'; the left operand has a multiple of 16 rows}}
    %s = vector.contract {indexing_maps = [#qd, #kd, #qk],
                          iterator_types = ["parallel", "parallel", "reduction"],
                          kind = #vector.kind<add>} %queries, %keys, %s0
      : vector<8x32xf16>, vector<16x32xf16> into vector<8x16xf32>
  }
  return
}

// -----

#qd = affine_map<(m, n, d) -> (m, d)>
#kd = affine_map<(m, n, d) -> (n, d)>
#qk = affine_map<(m, n, d) -> (m, n)>

func.func @computed_right(%q: memref<16x32xf16>, %k: memref<16x32xf16>) {
  %c0 = arith.constant 0 : index
  %zero = arith.constant 0.0 : f16
  scf.forall (%i) in (4) {
    %s0 = arith.constant dense<0.0> : vector<16x16xf32>
    %queries = vector.transfer_read %q[%c0, %c0], %zero {in_bounds = [true, true]}
      : memref<16x32xf16>, vector<16x32xf16>
    %read = vector.transfer_read %k[%c0, %c0], %zero {in_bounds = [true, true]}
      : memref<16x32xf16>, vector<16x32xf16>
    %keys = arith.negf %read : vector<16x32xf16>
    // expected-error@below {{'vector.contract' op has a right operand that is not read from memory for that, or for a use that is none of a right operand besides; what threads hold can only be the left one}}
    %s = vector.contract {indexing_maps = [#qd, #kd, #qk],
                          iterator_types = ["parallel", "parallel", "reduction"],
                          kind = #vector.kind<add>} %queries, %keys, %s0
      : vector<16x32xf16>, vector<16x32xf16> into vector<16x16xf32>
  }
  return
}

// -----

#qd = affine_map<(m, n, d) -> (m, d)>
#kd = affine_map<(m, n, d) -> (n, d)>
#qk = affine_map<(m, n, d) -> (m, n)>

func.func @right_written(%q: memref<16x32xf16>, %k: memref<16x32xf16>) {
  %c0 = arith.constant 0 : index
  %zero = arith.constant 0.0 : f16
  scf.forall (%i) in (4) {
    %s0 = arith.constant dense<0.0> : vector<16x16xf32>
    %queries = vector.transfer_read %q[%c0, %c0], %zero {in_bounds = [true, true]}
      : memref<16x32xf16>, vector<16x32xf16>
    %keys = vector.transfer_read %k[%c0, %c0], %zero {in_bounds = [true, true]}
      : memref<16x32xf16>, vector<16x32xf16>
    // expected-error@below {{'vector.contract' op has a right operand that is not read from memory for that, or for a use that is none of a right operand besides; what threads hold can only be the left one}}
    %s = vector.contract {indexing_maps = [#qd, #kd, #qk],
                          iterator_types = ["parallel", "parallel", "reduction"],
                          kind = #vector.kind<add>} %queries, %keys, %s0
      : vector<16x32xf16>, vector<16x32xf16> into vector<16x16xf32>
    vector.transfer_write %keys, %k[%c0, %c0] {in_bounds = [true, true]}
      : vector<16x32xf16>, memref<16x32xf16>
  }
  return
}

// -----

#qd = affine_map<(m, n, d) -> (m, d)>
#kd = affine_map<(m, n, d) -> (n, d)>
#qk = affine_map<(m, n, d) -> (m, n)>

func.func @shared_left(%q: memref<16x32xf16>, %k: memref<16x32xf16>) {
  %c0 = arith.constant 0 : index
  %zero = arith.constant 0.0 : f16
  scf.forall (%i) in (4) {
    %s0 = arith.constant dense<0.0> : vector<16x16xf32>
    %queries = vector.transfer_read %q[%c0, %c0], %zero {in_bounds = [true, true]}
      : memref<16x32xf16>, vector<16x32xf16>
    %keys = vector.transfer_read %k[%c0, %c0], %zero {in_bounds = [true, true]}
      : memref<16x32xf16>, vector<16x32xf16>
    %s = vector.contract {indexing_maps = [#qd, #kd, #qk],
                          iterator_types = ["parallel", "parallel", "reduction"],
                          kind = #vector.kind<add>} %queries, %keys, %s0
      : vector<16x32xf16>, vector<16x32xf16> into vector<16x16xf32>
    %n = arith.negf %keys : vector<16x32xf16>
    // expected-error@below {{'vector.contract' op takes a tile that is in shared memory, as the right operand of a product, to where threads hold tiles of their own; read it another time for that}}
    %s2 = vector.contract {indexing_maps = [#qd, #kd, #qk],
                          iterator_types = ["parallel", "parallel", "reduction"],
                          kind = #vector.kind<add>} %n, %keys, %s0
      : vector<16x32xf16>, vector<16x32xf16> into vector<16x16xf32>
  }
  return
}

// -----

#qd = affine_map<(m, n, d) -> (m, d)>
#kd = affine_map<(m, n, d) -> (n, d)>
#qk = affine_map<(m, n, d) -> (m, n)>

func.func @shared_summed(%q: memref<16x32xf16>, %k: memref<16x32xf16>) {
  %c0 = arith.constant 0 : index
  %zero = arith.constant 0.0 : f16
  scf.forall (%i) in (4) {
    %s0 = arith.constant dense<0.0> : vector<16x16xf32>
    %queries = vector.transfer_read %q[%c0, %c0], %zero {in_bounds = [true, true]}
      : memref<16x32xf16>, vector<16x32xf16>
    %keys = vector.transfer_read %k[%c0, %c0], %zero {in_bounds = [true, true]}
      : memref<16x32xf16>, vector<16x32xf16>
    %s = vector.contract {indexing_maps = [#qd, #kd, #qk],
                          iterator_types = ["parallel", "parallel", "reduction"],
                          kind = #vector.kind<add>} %queries, %keys, %s0
      : vector<16x32xf16>, vector<16x32xf16> into vector<16x16xf32>
    %n = arith.negf %keys : vector<16x32xf16>
    %e = arith.extf %n : vector<16x32xf16> to vector<16x32xf32>
    %zeros = arith.constant dense<0.0> : vector<16xf32>
    // expected-error@below {{'vector.multi_reduction' op takes a tile that is in shared memory, as the right operand of a product, to where threads hold tiles of their own; read it another time for that}}
    %r = vector.multi_reduction <add>, %e, %zeros [1] : vector<16x32xf32> to vector<16xf32>
  }
  return
}

// -----

func.func @along_rows(%m: memref<16x32xf16>) {
  %c0 = arith.constant 0 : index
  %zero = arith.constant 0.0 : f16
  scf.forall (%i) in (4) {
    %zeros = arith.constant dense<0.0> : vector<32xf32>
    %t = vector.transfer_read %m[%c0, %c0], %zero {in_bounds = [true, true]}
      : memref<16x32xf16>, vector<16x32xf16>
    %e = arith.extf %t : vector<16x32xf16> to vector<16x32xf32>
    // expected-error@below {{'vector.multi_reduction' op is neither of f32 along the columns of a tile nor whether a predicate holds everywhere}}
    %r = vector.multi_reduction <add>, %e, %zeros [0] : vector<16x32xf32> to vector<32xf32>
  }
  return
}

// -----

func.func @half_maximum(%m: memref<16x32xf16>) {
  %c0 = arith.constant 0 : index
  %zero = arith.constant 0.0 : f16
  scf.forall (%i) in (4) {
    %zeros = arith.constant dense<0.0> : vector<16xf16>
    %t = vector.transfer_read %m[%c0, %c0], %zero {in_bounds = [true, true]}
      : memref<16x32xf16>, vector<16x32xf16>
    // expected-error@below {{'vector.multi_reduction' op is neither of f32 along the columns of a tile nor whether a predicate holds everywhere}}
    %r = vector.multi_reduction <maxnumf>, %t, %zeros [1] : vector<16x32xf16> to vector<16xf16>
  }
  return
}
