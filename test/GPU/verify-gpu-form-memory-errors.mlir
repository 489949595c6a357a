// Reads and writes of tiles: each of these is refused at the operation that breaks the form.
//
// RUN: sparse-attn-opt %s --sparse-attn-verify-gpu-form --split-input-file --verify-diagnostics

func.func @masked_read(%m: memref<16x32xf16>, %p: memref<16x32xi1>) {
  %c0 = arith.constant 0 : index
  %zero = arith.constant 0.0 : f16
  %false = arith.constant false
  scf.forall (%i) in (4) {
    %pred = vector.transfer_read %p[%c0, %c0], %false {in_bounds = [true, true]}
      : memref<16x32xi1>, vector<16x32xi1>
    // expected-error@below {{'vector.transfer_read' op does not move whole rows of a buffer, as they lie there}}
    %t = vector.transfer_read %m[%c0, %c0], %zero, %pred {in_bounds = [true, true]}
      : memref<16x32xf16>, vector<16x32xf16>
  }
  return
}

// -----

func.func @missing_columns(%m: memref<16x?xf16>) {
  %c0 = arith.constant 0 : index
  %zero = arith.constant 0.0 : f16
  scf.forall (%i) in (4) {
    // expected-error@below {{'vector.transfer_read' op does not move whole rows of a buffer, as they lie there}}
    %t = vector.transfer_read %m[%c0, %c0], %zero {in_bounds = [true, false]}
      : memref<16x?xf16>, vector<16x32xf16>
  }
  return
}

// -----

func.func @transposed_write(%m: memref<16x32xf16>, %o: memref<32x16xf16>) {
  %c0 = arith.constant 0 : index
  %zero = arith.constant 0.0 : f16
  scf.forall (%i) in (4) {
    %t = vector.transfer_read %m[%c0, %c0], %zero {in_bounds = [true, true]}
      : memref<16x32xf16>, vector<16x32xf16>
    // expected-error@below {{'vector.transfer_write' op does not move whole rows of a buffer, as they lie there}}
    vector.transfer_write %t, %o[%c0, %c0]
      {in_bounds = [true, true], permutation_map = affine_map<(i, j) -> (j, i)>}
      : vector<16x32xf16>, memref<32x16xf16>
  }
  return
}

// -----

func.func @few_rows(%m: memref<24x32xf16>) {
  %c0 = arith.constant 0 : index
  %zero = arith.constant 0.0 : f16
  scf.forall (%i) in (4) {
    // expected-error@below {{'vector.transfer_read' op moves a tile of 24 rows; tiles in memory have a multiple of 16: choose such tiles of queries and keys}}
    %t = vector.transfer_read %m[%c0, %c0], %zero {in_bounds = [true, true]}
      : memref<24x32xf16>, vector<24x32xf16>
  }
  return
}

// -----

#qd = affine_map<(m, n, d) -> (m, d)>
#kd = affine_map<(m, n, d) -> (n, d)>
#qk = affine_map<(m, n, d) -> (m, n)>

func.func @double(%q: memref<16x32xf64>, %k: memref<16x32xf64>) {
  %c0 = arith.constant 0 : index
  scf.forall (%i) in (4) {
    %z = arith.constant 0.0 : f64
    %s0 = arith.constant dense<0.0> : vector<16x16xf64>
    // expected-error@below {{'vector.transfer_read' op reads a tile of 'f64' for a product; operands of products are f16, bf16 or f32}}
    %queries = vector.transfer_read %q[%c0, %c0], %z {in_bounds = [true, true]}
      : memref<16x32xf64>, vector<16x32xf64>
    %keys = vector.transfer_read %k[%c0, %c0], %z {in_bounds = [true, true]}
      : memref<16x32xf64>, vector<16x32xf64>
    %s = vector.contract {indexing_maps = [#qd, #kd, #qk],
                          iterator_types = ["parallel", "parallel", "reduction"],
                          kind = #vector.kind<add>} %queries, %keys, %s0
      : vector<16x32xf64>, vector<16x32xf64> into vector<16x16xf64>
  }
  return
}

// -----

#qd = affine_map<(m, n, d) -> (m, d)>
#kd = affine_map<(m, n, d) -> (n, d)>
#qk = affine_map<(m, n, d) -> (m, n)>

func.func @padding(%q: memref<16x32xf16>, %k: memref<?x32xf16>) {
  %c0 = arith.constant 0 : index
  %zero = arith.constant 0.0 : f16
  scf.forall (%i) in (4) {
    %s0 = arith.constant dense<0.0> : vector<16x16xf32>
    %one = arith.constant 1.0 : f16
    %queries = vector.transfer_read %q[%c0, %c0], %zero {in_bounds = [true, true]}
      : memref<16x32xf16>, vector<16x32xf16>
    // expected-error@below {{'vector.transfer_read' op is padded with a value other than zero; pad tiles that products take with zeros}}
    %keys = vector.transfer_read %k[%c0, %c0], %one {in_bounds = [false, true]}
      : memref<?x32xf16>, vector<16x32xf16>
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

func.func @shared_written(%q: memref<16x32xf16>, %k: memref<16x32xf16>) {
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
    // expected-error@below {{'vector.transfer_write' op takes a tile that is in shared memory, as the right operand of a product, to where threads hold tiles of their own; read it another time for that}}
    vector.transfer_write %n, %q[%c0, %c0] {in_bounds = [true, true]}
      : vector<16x32xf16>, memref<16x32xf16>
  }
  return
}

// -----

func.func @row_of_fragments(%m: memref<16x32xf16>) {
  %c0 = arith.constant 0 : index
  %zero = arith.constant 0.0 : f16
  scf.forall (%i) in (4) {
    %t = vector.transfer_read %m[%c0, %c0], %zero {in_bounds = [true, true]}
      : memref<16x32xf16>, vector<16x32xf16>
    // expected-error@below {{'vector.extract' op does not take a row of a tile that is the right operand of a product; threads hold elements of many rows of others}}
    %row = vector.extract %t[%i] : vector<32xf16> from vector<16x32xf16>
  }
  return
}

// -----

#qd = affine_map<(m, n, d) -> (m, d)>
#kd = affine_map<(m, n, d) -> (n, d)>
#qk = affine_map<(m, n, d) -> (m, n)>

func.func @element(%q: memref<16x32xf16>, %k: memref<16x32xf16>) {
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
    // expected-error@below {{'vector.extract' op does not take a row of a tile that is the right operand of a product; threads hold elements of many rows of others}}
    %row = vector.extract %keys[%i, 3] : f16 from vector<16x32xf16>
  }
  return
}

// -----

func.func @masked_gather(%table: memref<64xi32>) {
  %c0 = arith.constant 0 : index
  scf.forall (%i) in (4) {
    %n = vector.step : vector<16xindex>
    %c3 = arith.constant dense<3> : vector<16xindex>
    %some = arith.cmpi slt, %n, %c3 : vector<16xindex>
    %none = arith.constant dense<0> : vector<16xi32>
    // expected-error@below {{'vector.gather' op has a mask; read everything, and select}}
    %r = vector.gather %table[%c0] [%n], %some, %none
      : memref<64xi32>, vector<16xindex>, vector<16xi1>, vector<16xi32> into vector<16xi32>
  }
  return
}

// -----

#qd = affine_map<(m, n, d) -> (m, d)>
#kd = affine_map<(m, n, d) -> (n, d)>
#qk = affine_map<(m, n, d) -> (m, n)>

// Copies know nothing of indices.
func.func @within_a_buffer(%q: memref<16x32xf16>, %k: memref<64x32xf16>) {
  %c0 = arith.constant 0 : index
  %zero = arith.constant 0.0 : f16
  %zeros = arith.constant dense<0.0> : vector<16x16xf32>
  scf.forall (%i) in (4) {
    %queries = vector.transfer_read %q[%c0, %c0], %zero {in_bounds = [true, true]}
      : memref<16x32xf16>, vector<16x32xf16>
    // expected-error@below {{'vector.transfer_read' op reads a tile for a product from within a buffer; take a memref.subview that starts with the tile}}
    %keys = vector.transfer_read %k[%i, %c0], %zero {in_bounds = [true, true]}
      : memref<64x32xf16>, vector<16x32xf16>
    %s = vector.contract {indexing_maps = [#qd, #kd, #qk],
                          iterator_types = ["parallel", "parallel", "reduction"],
                          kind = #vector.kind<add>} %queries, %keys, %zeros
      : vector<16x32xf16>, vector<16x32xf16> into vector<16x16xf32>
  }
  return
}

// -----

// Rows by their numbers, which threads look up one by one.
func.func @rows_for_sums(%m: memref<64x32xf32>, %o: memref<16x32xf32>) {
  %c0 = arith.constant 0 : index
  scf.forall (%i) in (4) {
    %step = vector.step : vector<16xindex>
    %numbers = arith.index_cast %step : vector<16xindex> to vector<16xi32>
    // expected-error@below {{'sparse_attn.read_rows' op reads rows by their numbers for a use that is none of an operand of a product; threads copy such rows for products only}}
    %t = sparse_attn.read_rows %m at %numbers : memref<64x32xf32>, vector<16xi32> -> vector<16x32xf32>
    vector.transfer_write %t, %o[%c0, %c0] {in_bounds = [true, true]} : vector<16x32xf32>, memref<16x32xf32>
  }
  return
}

// -----

func.func @few_numbered_rows(%m: memref<64x32xf16>) {
  scf.forall (%i) in (4) {
    %step = vector.step : vector<8xindex>
    %numbers = arith.index_cast %step : vector<8xindex> to vector<8xi32>
    // expected-error@below {{'sparse_attn.read_rows' op moves a tile of 8 rows; tiles in memory have a multiple of 16: choose such tiles of queries and keys}}
    %t = sparse_attn.read_rows %m at %numbers : memref<64x32xf16>, vector<8xi32> -> vector<8x32xf16>
  }
  return
}

// -----

func.func @numbered_doubles(%m: memref<64x32xf64>) {
  scf.forall (%i) in (4) {
    %step = vector.step : vector<16xindex>
    %numbers = arith.index_cast %step : vector<16xindex> to vector<16xi32>
    // expected-error@below {{'sparse_attn.read_rows' op reads a tile of 'f64' for a product; operands of products are f16, bf16 or f32}}
    %t = sparse_attn.read_rows %m at %numbers : memref<64x32xf64>, vector<16xi32> -> vector<16x32xf64>
  }
  return
}

// -----

// Numbers that a loop carries are known as a whole only.
func.func @carried_numbers(%m: memref<64x32xf16>, %n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %none = arith.constant dense<0> : vector<16xi32>
  scf.forall (%i) in (4) {
    %r = scf.for %t = %c0 to %n step %c1 iter_args(%numbers = %none) -> vector<16xi32> {
      // expected-error@below {{'sparse_attn.read_rows' op takes numbers of rows that threads cannot compute one by one; compute them from vector.step, or read them from a buffer}}
      %t1 = sparse_attn.read_rows %m at %numbers : memref<64x32xf16>, vector<16xi32> -> vector<16x32xf16>
      scf.yield %numbers : vector<16xi32>
    }
  }
  return
}

// -----

func.func @chosen_numbers(%m: memref<64x32xf16>, %c: i1) {
  %none = arith.constant dense<0> : vector<16xi32>
  scf.forall (%i) in (4) {
    // expected-note@below {{by this operation}}
    %numbers = scf.if %c -> vector<16xi32> {
      scf.yield %none : vector<16xi32>
    } else {
      scf.yield %none : vector<16xi32>
    }
    // expected-error@below {{'sparse_attn.read_rows' op takes numbers of rows that threads cannot compute one by one; compute them from vector.step, or read them from a buffer}}
    %t = sparse_attn.read_rows %m at %numbers : memref<64x32xf16>, vector<16xi32> -> vector<16x32xf16>
  }
  return
}

// -----

// Rows that are written by their numbers.
func.func @few_written_rows(%o: memref<64x32xf16>) {
  %zero = arith.constant dense<0.0> : vector<8x32xf16>
  scf.forall (%i) in (4) {
    %step = vector.step : vector<8xindex>
    %numbers = arith.index_cast %step : vector<8xindex> to vector<8xi32>
    // expected-error@below {{'sparse_attn.write_rows' op moves a tile of 8 rows; tiles in memory have a multiple of 16: choose such tiles of queries and keys}}
    sparse_attn.write_rows %zero into %o at %numbers : vector<8x32xf16>, vector<8xi32> into memref<64x32xf16>
  }
  return
}

// -----

func.func @numbers_in_a_buffer(%o: memref<64x32xf16>, %n: memref<16xi32>) {
  %zero = arith.constant dense<0.0> : vector<16x32xf16>
  scf.forall (%i) in (4) {
    // expected-error@below {{'sparse_attn.write_rows' op takes a tile or its rows' numbers from a buffer; read them as vectors}}
    sparse_attn.write_rows %zero into %o at %n : vector<16x32xf16>, memref<16xi32> into memref<64x32xf16>
  }
  return
}
