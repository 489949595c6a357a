// Values of tiles, element by element: each of these is refused at the operation that breaks the form.
//
// RUN: sparse-attn-opt %s --sparse-attn-verify-gpu-form --split-input-file --verify-diagnostics

#qd = affine_map<(m, n, d) -> (m, d)>
#kd = affine_map<(m, n, d) -> (n, d)>
#qk = affine_map<(m, n, d) -> (m, n)>

func.func @shared_joined(%q: memref<16x32xf16>, %k: memref<16x32xf16>) {
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
    // expected-error@below {{'arith.addf' op joins a tile in shared memory, the right operand of a product, with one that threads hold; read it another time for that}}
    %sum = arith.addf %queries, %n : vector<16x32xf16>
  }
  return
}

// -----

func.func @transposed_tile(%m: memref<16x32xf16>) {
  %c0 = arith.constant 0 : index
  %zero = arith.constant 0.0 : f16
  scf.forall (%i) in (4) {
    %t = vector.transfer_read %m[%c0, %c0], %zero {in_bounds = [true, true]}
      : memref<16x32xf16>, vector<16x32xf16>
    // expected-error@below {{'vector.transpose' op moves the elements of a whole tile, which threads would have to exchange; only a value that is one along rows or one along columns can be transposed}}
    %r = vector.transpose %t, [1, 0] : vector<16x32xf16> to vector<32x16xf16>
  }
  return
}

// -----

func.func @transposed_sum() {
  scf.forall (%i) in (4) {
    %n = vector.step : vector<16xindex>
    %columns = vector.broadcast %n : vector<16xindex> to vector<16x16xindex>
    %rows = vector.transpose %columns, [1, 0] : vector<16x16xindex> to vector<16x16xindex>
    %sum = arith.addi %rows, %columns : vector<16x16xindex>
    // expected-error@below {{'vector.transpose' op moves the elements of a whole tile}}
    %r = vector.transpose %sum, [1, 0] : vector<16x16xindex> to vector<16x16xindex>
  }
  return
}
