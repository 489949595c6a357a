// What a loop carries, and operations that have no rule: each of these is refused at the operation that breaks the form.
//
// RUN: sparse-attn-opt %s --sparse-attn-verify-gpu-form --split-input-file --verify-diagnostics

func.func @tensors(%t: tensor<4xf16>) {
  scf.forall (%i) in (4) {
    // expected-error@below {{'tensor.extract' op is on tensors, and kernels compute with vectors and buffers; vectorise tiles and bufferise}}
    %e = tensor.extract %t[%i] : tensor<4xf16>
  }
  return
}

// -----

func.func @whole_buffers(%m: memref<16x32xf16>) {
  %zero = arith.constant 0.0 : f16
  scf.forall (%i) in (4) {
    // expected-error@below {{'linalg.fill' op is on whole buffers, which the threads of a block cannot share out; make vectors of their tiles}}
    linalg.fill ins(%zero : f16) outs(%m : memref<16x32xf16>)
  }
  return
}

// -----

func.func @copied_buffers(%m: memref<16x32xf16>, %n: memref<16x32xf16>) {
  scf.forall (%i) in (4) {
    // expected-error@below {{'memref.copy' op is on whole buffers, which the threads of a block cannot share out; make vectors of their tiles}}
    memref.copy %m, %n : memref<16x32xf16> to memref<16x32xf16>
  }
  return
}

// -----

func.func @three_dimensions() {
  %zero = arith.constant 0.0 : f16
  scf.forall (%i) in (4) {
    // expected-error@below {{'vector.broadcast' op has a value of 'vector<8x16x16xf16>'; a tile is a vector of two dimensions, and a value for each of its rows or columns one of one dimension, of fixed size}}
    %t = vector.broadcast %zero : f16 to vector<8x16x16xf16>
  }
  return
}

// -----

func.func @no_dimension() {
  %zero = arith.constant 0.0 : f16
  scf.forall (%i) in (4) {
    // expected-error@below {{'vector.broadcast' op has a value of 'vector<f16>'; a tile is a vector of two dimensions}}
    %t = vector.broadcast %zero : f16 to vector<f16>
  }
  return
}

// -----

func.func @scalable() {
  %zero = arith.constant 0.0 : f16
  scf.forall (%i) in (4) {
    // expected-error@below {{'vector.broadcast' op has a value of 'vector<[16]xf16>'; a tile is a vector of two dimensions}}
    %t = vector.broadcast %zero : f16 to vector<[16]xf16>
  }
  return
}

// -----

func.func @odd_size() {
  %zero = arith.constant 0.0 : f16
  scf.forall (%i) in (4) {
    // expected-error@below {{'vector.broadcast' op has a value of 'vector<16x12xf16>'; rows and columns of a tile are multiples of 8}}
    %t = vector.broadcast %zero : f16 to vector<16x12xf16>
  }
  return
}

// -----

func.func @different_constants() {
  scf.forall (%i) in (4) {
    %n = vector.step : vector<8xindex>
    %c = arith.constant dense<[1, 3, 5, 7, 9, 11, 13, 15]> : vector<8xindex>
    // expected-error@below {{'arith.addi' op takes a constant whose elements differ; number them by vector.step and compute with that}}
    %t = arith.addi %n, %c : vector<8xindex>
  }
  return
}

// -----

func.func @from_outside(%m: memref<16x32xf16>) {
  %c0 = arith.constant 0 : index
  %zero = arith.constant 0.0 : f16
  %t = vector.transfer_read %m[%c0, %c0], %zero {in_bounds = [true, true]}
      : memref<16x32xf16>, vector<16x32xf16>
  scf.forall (%i) in (4) {
    // expected-error@below {{'arith.addf' op takes a tile from outside of the loop over blocks; read it inside}}
    %s = arith.addf %t, %t : vector<16x32xf16>
  }
  return
}

// -----

func.func @an_argument(%t: vector<16xf32>) {
  scf.forall (%i) in (4) {
    // expected-error@below {{'arith.addf' op takes a tile from outside of the loop over blocks; read it inside}}
    %s = arith.addf %t, %t : vector<16xf32>
  }
  return
}

// -----

#qd = affine_map<(m, n, d) -> (m, d)>
#kd = affine_map<(m, n, d) -> (n, d)>
#qk = affine_map<(m, n, d) -> (m, n)>

func.func @shared_carried(%q: memref<16x32xf16>, %k: memref<16x32xf16>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
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
    // expected-error@below {{'scf.for' op takes a tile that is in shared memory, as the right operand of a product, to where threads hold tiles of their own; read it another time for that}}
    %r = scf.for %j = %c0 to %c1 step %c1 iter_args(%x = %n) -> (vector<16x32xf16>) {
      scf.yield %x : vector<16x32xf16>
    }
  }
  return
}

// -----

func.func @no_rule(%m: memref<16x32xf16>) {
  %c0 = arith.constant 0 : index
  %zero = arith.constant 0.0 : f16
  scf.forall (%i) in (4) {
    %t = vector.transfer_read %m[%c0, %c0], %zero {in_bounds = [true, true]}
      : memref<16x32xf16>, vector<16x32xf16>
    // expected-error@below {{'vector.shape_cast' op on a tile has no rule that shares it out among threads}}
    %r = vector.shape_cast %t : vector<16x32xf16> to vector<512xf16>
  }
  return
}

// -----

func.func @while_carries(%m: memref<16x32xf16>) {
  %c0 = arith.constant 0 : index
  %zero = arith.constant 0.0 : f16
  scf.forall (%i) in (4) {
    %t = vector.transfer_read %m[%c0, %c0], %zero {in_bounds = [true, true]}
      : memref<16x32xf16>, vector<16x32xf16>
    %go = arith.constant false
    // expected-error@below {{'scf.while' op on a tile has no rule that shares it out among threads}}
    %r = scf.while (%x = %t) : (vector<16x32xf16>) -> vector<16x32xf16> {
      scf.condition(%go) %x : vector<16x32xf16>
    } do {
    ^bb0(%x: vector<16x32xf16>):
      scf.yield %x : vector<16x32xf16>
    }
  }
  return
}
