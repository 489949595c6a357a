// Loops over tiles that GPU passes take, which stay as they are; and the passes do take
// them.
//
// RUN: sparse-attn-opt %s --sparse-attn-verify-gpu-form | FileCheck %s
// RUN: sparse-attn-opt %s --sparse-attn-map-to-gpu --sparse-attn-stage-operands --canonicalize \
// RUN:   --sparse-attn-distribute-fragments --sparse-attn-copies-to-cp-async | FileCheck %s --check-prefix=TAKEN

#qd = affine_map<(m, n, d) -> (m, d)>
#kd = affine_map<(m, n, d) -> (n, d)>
#dk = affine_map<(m, n, d) -> (d, n)>
#qk = affine_map<(m, n, d) -> (m, n)>

// TAKEN-LABEL: func.func @step
// TAKEN:         nvvm.mma.sync
//
// CHECK-LABEL: func.func @step
// CHECK:         scf.forall
// CHECK:           vector.contract
// CHECK:           vector.transfer_write
func.func @step(%q: memref<32x32xf16>, %k: memref<?x32xf16>, %v: memref<?x32xf16>, %o: memref<?x32xf32>,
                %table: memref<64xi32>, %n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %zero = arith.constant 0.0 : f16
  %zeros = arith.constant dense<0.0> : vector<32x32xf32>
  %sums = arith.constant dense<0.0> : vector<32xf32>
  scf.forall (%i) in (4) {
    %queries = vector.transfer_read %q[%c0, %c0], %zero {in_bounds = [true, true]}
      : memref<32x32xf16>, vector<32x32xf16>
    %r:2 = scf.for %t = %c0 to %n step %c1 iter_args(%l = %sums, %a = %zeros)
        -> (vector<32xf32>, vector<32x32xf32>) {
      %keys_of_t = memref.subview %k[%t, 0] [%n, 32] [1, 1]
        : memref<?x32xf16> to memref<?x32xf16, strided<[32, 1], offset: ?>>
      %keys = vector.transfer_read %keys_of_t[%c0, %c0], %zero {in_bounds = [false, true]}
        : memref<?x32xf16, strided<[32, 1], offset: ?>>, vector<16x32xf16>
      %z = arith.constant dense<0.0> : vector<32x16xf32>
      %s = vector.contract {indexing_maps = [#qd, #kd, #qk],
                            iterator_types = ["parallel", "parallel", "reduction"],
                            kind = #vector.kind<add>} %queries, %keys, %z
        : vector<32x32xf16>, vector<16x32xf16> into vector<32x16xf32>
      // Positions of rows and of columns.
      %row = vector.step : vector<32xindex>
      %rows = vector.broadcast %row : vector<32xindex> to vector<16x32xindex>
      %down = vector.transpose %rows, [1, 0] : vector<16x32xindex> to vector<32x16xindex>
      %column = vector.step : vector<16xindex>
      %across = vector.broadcast %column : vector<16xindex> to vector<32x16xindex>
      %below = arith.cmpi sle, %across, %down : vector<32x16xindex>
      // A table, of which each thread reads what it needs.
      %three = arith.constant dense<3> : vector<16xindex>
      %entry = arith.muli %column, %three : vector<16xindex>
      %all = arith.constant dense<true> : vector<16xi1>
      %none = arith.constant dense<0> : vector<16xi32>
      %drawn = vector.gather %table[%c0] [%entry], %all, %none
        : memref<64xi32>, vector<16xindex>, vector<16xi1>, vector<16xi32> into vector<16xi32>
      %live = arith.cmpi ne, %drawn, %none : vector<16xi32>
      %lives = vector.broadcast %live : vector<16xi1> to vector<32x16xi1>
      %allowed = arith.andi %below, %lives : vector<32x16xi1>
      %masked = arith.select %allowed, %s, %z : vector<32x16xi1>, vector<32x16xf32>
      %m = vector.multi_reduction <add>, %masked, %l [1] : vector<32x16xf32> to vector<32xf32>
      %p = arith.truncf %masked : vector<32x16xf32> to vector<32x16xf16>
      // A right operand may be looked at, all of it or a row.
      %values_of_t = memref.subview %v[%t, 0] [%n, 32] [1, 1]
        : memref<?x32xf16> to memref<?x32xf16, strided<[32, 1], offset: ?>>
      %values = vector.transfer_read %values_of_t[%c0, %c0], %zero {in_bounds = [false, true]}
        : memref<?x32xf16, strided<[32, 1], offset: ?>>, vector<16x32xf16>
      %same = arith.cmpf oeq, %values, %values : vector<16x32xf16>
      %true = arith.constant true
      %isFinite = vector.multi_reduction <and>, %same, %true [0, 1] : vector<16x32xi1> to i1
      %sum = scf.if %isFinite -> (vector<32x32xf32>) {
        %b = vector.contract {indexing_maps = [#qd, #dk, #qk],
                              iterator_types = ["parallel", "parallel", "reduction"],
                              kind = #vector.kind<add>} %p, %values, %a
          : vector<32x16xf16>, vector<16x32xf16> into vector<32x32xf32>
        scf.yield %b : vector<32x32xf32>
      } else {
        %first = vector.extract %values[%c1] : vector<32xf16> from vector<16x32xf16>
        %repeated = vector.broadcast %first : vector<32xf16> to vector<32x32xf16>
        %e = arith.extf %repeated : vector<32x32xf16> to vector<32x32xf32>
        scf.yield %e : vector<32x32xf32>
      }
      scf.yield %m, %sum : vector<32xf32>, vector<32x32xf32>
    }
    vector.transfer_write %r#1, %o[%c0, %c0] {in_bounds = [false, true]}
      : vector<32x32xf32>, memref<?x32xf32>
  }
  return
}

// One read may be both operands of a product, where queries and keys are one tensor.
//
// TAKEN-LABEL: func.func @self
// TAKEN:         nvvm.mma.sync
//
// CHECK-LABEL: func.func @self
func.func @self(%x: memref<16x32xf16>, %o: memref<16x16xf32>) {
  %c0 = arith.constant 0 : index
  %zero = arith.constant 0.0 : f16
  %zeros = arith.constant dense<0.0> : vector<16x16xf32>
  scf.forall (%i) in (4) {
    %both = vector.transfer_read %x[%c0, %c0], %zero {in_bounds = [true, true]}
      : memref<16x32xf16>, vector<16x32xf16>
    %s = vector.contract {indexing_maps = [#qd, #kd, #qk],
                          iterator_types = ["parallel", "parallel", "reduction"],
                          kind = #vector.kind<add>} %both, %both, %zeros
      : vector<16x32xf16>, vector<16x32xf16> into vector<16x16xf32>
    vector.transfer_write %s, %o[%c0, %c0] {in_bounds = [true, true]}
      : vector<16x16xf32>, memref<16x16xf32>
  }
  return
}

// What is outside of loops over blocks is not for kernels, and may be anything.
//
// CHECK-LABEL: func.func @outside
// CHECK:         vector.shape_cast
func.func @outside(%v: vector<2x2x3xf32>, %n: index) -> vector<12xf32> {
  scf.forall (%i) in (%n) {
  }
  %r = vector.shape_cast %v : vector<2x2x3xf32> to vector<12xf32>
  return %r : vector<12xf32>
}

// Rows by their numbers, computed or from a table, for both sides of a product.
//
// TAKEN-LABEL: func.func @numbered
// TAKEN:         nvvm.cp.async.shared.global
// TAKEN:         nvvm.mma.sync
//
// CHECK-LABEL: func.func @numbered
// CHECK-COUNT-3: sparse_attn.read_rows
// CHECK:           vector.transfer_write
func.func @numbered(%q: memref<?x32xf16>, %k: memref<?x32xf16>, %o: memref<16x16xf32>, %table: memref<64xi32>, %n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c16 = arith.constant 16 : index
  %zero = arith.constant 0 : i32
  scf.forall (%i) in (4) {
    %first = arith.muli %i, %c16 : index
    %step = vector.step : vector<16xindex>
    %firsts = vector.broadcast %first : index to vector<16xindex>
    %place = arith.addi %step, %firsts : vector<16xindex>
    %number = arith.index_cast %place : vector<16xindex> to vector<16xi32>
    %three = arith.constant dense<3> : vector<16xi32>
    %numbers = arith.muli %number, %three : vector<16xi32>
    %queries = sparse_attn.read_rows %q at %numbers : memref<?x32xf16>, vector<16xi32> -> vector<16x32xf16>
    %listed = vector.transfer_read %table[%first], %zero {in_bounds = [true]} : memref<64xi32>, vector<16xi32>
    %keys = sparse_attn.read_rows %k at %listed : memref<?x32xf16>, vector<16xi32> -> vector<16x32xf16>
    %all = arith.constant dense<true> : vector<16xi1>
    %none = arith.constant dense<0> : vector<16xi32>
    %gathered = vector.gather %table[%c0] [%number], %all, %none
      : memref<64xi32>, vector<16xi32>, vector<16xi1>, vector<16xi32> into vector<16xi32>
    %others = sparse_attn.read_rows %k at %gathered : memref<?x32xf16>, vector<16xi32> -> vector<16x32xf16>
    %z = arith.constant dense<0.0> : vector<16x16xf32>
    %s = vector.contract {indexing_maps = [#qd, #kd, #qk], iterator_types = ["parallel", "parallel", "reduction"],
                          kind = #vector.kind<add>} %queries, %keys, %z
      : vector<16x32xf16>, vector<16x32xf16> into vector<16x16xf32>
    %t = vector.contract {indexing_maps = [#qd, #kd, #qk], iterator_types = ["parallel", "parallel", "reduction"],
                          kind = #vector.kind<add>} %queries, %others, %s
      : vector<16x32xf16>, vector<16x32xf16> into vector<16x16xf32>
    vector.transfer_write %t, %o[%c0, %c0] {in_bounds = [true, true]} : vector<16x16xf32>, memref<16x16xf32>
  }
  return
}
