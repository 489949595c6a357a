// A parallel loop becomes a launch: its iterations are the blocks of the grid.
//
// RUN: sparse-attn-opt %s --sparse-attn-map-to-gpu | FileCheck %s

// All blocks lie along x: those of a head side by side, then those of a batch, and the
// last of all first, as later query tiles are the longer ones under a causal mask. 32
// rows are shared by two warps. Kernels of a function have a module, which is marked as
// ours.
//
// CHECK-LABEL: func.func @grid
// CHECK-SAME:    %[[Q:.*]]: memref<2x3x128x16xf32>,
// CHECK:         gpu.launch blocks(%[[X:[a-z0-9]+]], %{{[a-z0-9]+}}, %{{[a-z0-9]+}})
// CHECK-SAME:      in (%{{[a-z0-9]+}} = %c24, %{{[a-z0-9]+}} = %c1{{[_0-9]*}}, %{{[a-z0-9]+}} = %c1{{[_0-9]*}})
// CHECK-SAME:      threads({{.*}}) in (%{{.*}} = %c64,
// CHECK-SAME:      module(@grid_kernels) function(@grid_0)
// CHECK-DAG:       %[[GLOBAL:.*]] = memref.memory_space_cast %[[Q]] {{.*}} #gpu.address_space<global>
// CHECK-DAG:       %[[FROM_LAST:.*]] = arith.subi %c23{{[_0-9]*}}, %[[X]]
// CHECK-DAG:       %[[BLOCK:.*]] = arith.index_castui %[[FROM_LAST]] : index to i32
// CHECK-DAG:       %[[T:.*]] = arith.remui %[[BLOCK]], %c4_i32
// CHECK-DAG:       %[[QUERY:.*]] = arith.index_castui %[[T]]
// CHECK-DAG:       %[[HEADS:.*]] = arith.divui %[[BLOCK]], %c4_i32
// CHECK-DAG:       %[[H:.*]] = arith.remui %[[HEADS]], %c3_i32
// CHECK-DAG:       %[[HEAD:.*]] = arith.index_castui %[[H]]
// CHECK-DAG:       %[[B:.*]] = arith.divui %[[HEADS]], %c3_i32
// CHECK-DAG:       %[[BATCH:.*]] = arith.index_castui %[[B]]
// CHECK:           %[[ROW:.*]] = arith.muli %[[QUERY]], %c32
// CHECK:           memref.subview %[[GLOBAL]][%[[BATCH]], %[[HEAD]], %[[ROW]], 0]
// CHECK:           vector.transfer_write {{.*}} #gpu.address_space<global>
// CHECK:           gpu.terminator
// CHECK-NOT:     scf.forall
// CHECK:       gpu.module @grid_kernels attributes {sparse_attn.kernels}
func.func @grid(%q: memref<2x3x128x16xf32>, %o: memref<2x3x128x16xf32>) {
  %c0 = arith.constant 0 : index
  %c32 = arith.constant 32 : index
  %zero = arith.constant 0.0 : f32
  scf.forall (%b, %h, %t) in (2, 3, 4) {
    %row = arith.muli %t, %c32 : index
    %source = memref.subview %q[%b, %h, %row, 0] [1, 1, 32, 16] [1, 1, 1, 1]
      : memref<2x3x128x16xf32> to memref<32x16xf32, strided<[16, 1], offset: ?>>
    %target = memref.subview %o[%b, %h, %row, 0] [1, 1, 32, 16] [1, 1, 1, 1]
      : memref<2x3x128x16xf32> to memref<32x16xf32, strided<[16, 1], offset: ?>>
    %tile = vector.transfer_read %source[%c0, %c0], %zero {in_bounds = [true, true]}
      : memref<32x16xf32, strided<[16, 1], offset: ?>>, vector<32x16xf32>
    vector.transfer_write %tile, %target[%c0, %c0] {in_bounds = [true, true]}
      : vector<32x16xf32>, memref<32x16xf32, strided<[16, 1], offset: ?>>
  }
  return
}

// Sizes that the loop is given come from buffers: the kernel computes them again,
// so that it takes buffers only.
//
// CHECK-LABEL: func.func @scalars
// CHECK-SAME:    %[[O:.*]]: memref<?x16xf32>
// CHECK:         %[[OUTSIDE:.*]] = memref.dim %[[O]]
// CHECK:         gpu.launch
// CHECK:           %[[O1:.*]] = memref.memory_space_cast %[[O]]
// CHECK:           memref.dim %[[O1]]
// CHECK-NOT:       %[[OUTSIDE]]{{[^_0-9]}}
// CHECK:           gpu.terminator
func.func @scalars(%o: memref<?x16xf32>) {
  %c0 = arith.constant 0 : index
  %c16 = arith.constant 16 : index
  %size = memref.dim %o, %c0 : memref<?x16xf32>
  %tiles = arith.ceildivsi %size, %c16 : index
  %zeros = arith.constant dense<0.0> : vector<16x16xf32>
  scf.forall (%t) in (%tiles) {
    %row = arith.muli %t, %c16 : index
    %rest = arith.subi %size, %row : index
    %count = arith.minsi %rest, %c16 : index
    %target = memref.subview %o[%row, 0] [%count, 16] [1, 1]
      : memref<?x16xf32> to memref<?x16xf32, strided<[16, 1], offset: ?>>
    vector.transfer_write %zeros, %target[%c0, %c0] {in_bounds = [false, true]}
      : vector<16x16xf32>, memref<?x16xf32, strided<[16, 1], offset: ?>>
  }
  return
}

// With no tile there is one warp; what a block allocates is its own, in shared
// memory. The second loop of a function is its second kernel.
//
// CHECK-LABEL: func.func @lists
// CHECK:         gpu.launch {{.*}} function(@lists_0)
// CHECK:         gpu.launch {{.*}} threads({{.*}}) in (%{{.*}} = %c32{{[_0-9]*}},
// CHECK-SAME:      function(@lists_1)
// CHECK-SAME:      workgroup(%[[LIST:.*]] : memref<4xi32, #gpu.address_space<workgroup>>)
// CHECK:           memref.store %{{.*}}, %[[LIST]]
// CHECK-NOT:     memref.alloc
func.func @lists(%o: memref<8xi32>) {
  %c0 = arith.constant 0 : index
  %one = arith.constant 1 : i32
  scf.forall (%t) in (8) {
    memref.store %one, %o[%t] : memref<8xi32>
  }
  scf.forall (%t) in (8) {
    %list = memref.alloc() : memref<4xi32>
    memref.store %one, %list[%c0] : memref<4xi32>
    %entry = memref.load %list[%c0] : memref<4xi32>
    memref.store %entry, %o[%t] : memref<8xi32>
  }
  return
}

// What a loop reads of an array in which each tile has a place of its own, no other block
// reads again: heads are not grouped for it.
//
// CHECK-LABEL: func.func @own_states
// CHECK:         gpu.launch
// CHECK:           arith.remui %{{.*}}, %c4_i32
// CHECK:           arith.divui %{{.*}}, %c4_i32
// CHECK-NOT:       arith.divui
// CHECK:           scf.for
func.func @own_states(%states: memref<3x4x8x16x16xf32>, %o: memref<3x4x16x16xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c8 = arith.constant 8 : index
  %zero = arith.constant 0.0 : f32
  %zeros = arith.constant dense<0.0> : vector<16x16xf32>
  scf.forall (%h, %t) in (3, 4) {
    %sum = scf.for %part = %c0 to %c8 step %c1 iter_args(%total = %zeros) -> vector<16x16xf32> {
      %state = memref.subview %states[%h, %t, %part, 0, 0] [1, 1, 1, 16, 16] [1, 1, 1, 1, 1]
        : memref<3x4x8x16x16xf32> to memref<16x16xf32, strided<[16, 1], offset: ?>>
      %read = vector.transfer_read %state[%c0, %c0], %zero {in_bounds = [true, true]}
        : memref<16x16xf32, strided<[16, 1], offset: ?>>, vector<16x16xf32>
      %next = arith.addf %total, %read : vector<16x16xf32>
      scf.yield %next : vector<16x16xf32>
    }
    %place = memref.subview %o[%h, %t, 0, 0] [1, 1, 16, 16] [1, 1, 1, 1]
      : memref<3x4x16x16xf32> to memref<16x16xf32, strided<[16, 1], offset: ?>>
    vector.transfer_write %sum, %place[%c0, %c0] {in_bounds = [true, true]}
      : vector<16x16xf32>, memref<16x16xf32, strided<[16, 1], offset: ?>>
  }
  return
}

// Twice the rows a warp where accumulators leave registers for them.
//
// CHECK-LABEL: func.func @rows_of_a_warp
// CHECK:         gpu.launch {{.*}} threads({{.*}}) in (%{{.*}} = %c128{{[_0-9]*}},
func.func @rows_of_a_warp(%o: memref<128x16xf32>) {
  %c0 = arith.constant 0 : index
  %zeros = arith.constant dense<0.0> : vector<128x16xf32>
  scf.forall (%t) in (1) {
    vector.transfer_write %zeros, %o[%c0, %c0] {in_bounds = [true, true]}
      : vector<128x16xf32>, memref<128x16xf32>
  }
  return
}

// But not where the mask holds three values of each key, beside its position: they
// take a third of a tile's registers.
//
// CHECK-LABEL: func.func @two_values_of_a_key
// CHECK:         gpu.launch {{.*}} threads({{.*}}) in (%{{.*}} = %c128{{[_0-9]*}},
func.func @two_values_of_a_key(%o: memref<128x16xi32>, %a: vector<16xi32>) {
  %c0 = arith.constant 0 : index
  scf.forall (%t) in (1) {
    %step = vector.step : vector<16xindex>
    %key = arith.index_cast %step : vector<16xindex> to vector<16xi32>
    %rest = arith.remui %key, %a : vector<16xi32>
    %block = arith.divui %key, %a : vector<16xi32>
    %0 = vector.broadcast %key : vector<16xi32> to vector<128x16xi32>
    %1 = vector.broadcast %rest : vector<16xi32> to vector<128x16xi32>
    %2 = vector.broadcast %block : vector<16xi32> to vector<128x16xi32>
    %3 = arith.addi %0, %1 : vector<128x16xi32>
    %4 = arith.addi %3, %2 : vector<128x16xi32>
    vector.transfer_write %4, %o[%c0, %c0] {in_bounds = [true, true]}
      : vector<128x16xi32>, memref<128x16xi32>
  }
  return
}

// CHECK-LABEL: func.func @three_values_of_a_key
// CHECK:         gpu.launch {{.*}} threads({{.*}}) in (%{{.*}} = %c256{{[_0-9]*}},
func.func @three_values_of_a_key(%o: memref<128x16xi32>, %a: vector<16xi32>) {
  %c0 = arith.constant 0 : index
  scf.forall (%t) in (1) {
    %step = vector.step : vector<16xindex>
    %key = arith.index_cast %step : vector<16xindex> to vector<16xi32>
    %rest = arith.remui %key, %a : vector<16xi32>
    %block = arith.divui %key, %a : vector<16xi32>
    %both = arith.xori %rest, %block : vector<16xi32>
    %0 = vector.broadcast %both : vector<16xi32> to vector<128x16xi32>
    %1 = vector.broadcast %rest : vector<16xi32> to vector<128x16xi32>
    %2 = vector.broadcast %block : vector<16xi32> to vector<128x16xi32>
    %3 = arith.addi %0, %1 : vector<128x16xi32>
    %4 = arith.addi %3, %2 : vector<128x16xi32>
    vector.transfer_write %4, %o[%c0, %c0] {in_bounds = [true, true]}
      : vector<128x16xi32>, memref<128x16xi32>
  }
  return
}

// The probabilities of 48 keys and the sums of 128 values are 176 columns, for which
// there is room beside operands of 16 bits, but not beside those of f32.
//
// CHECK-LABEL: func.func @columns_of_half
// CHECK:         gpu.launch {{.*}} threads({{.*}}) in (%{{.*}} = %c128{{[_0-9]*}},
func.func @columns_of_half(%v: memref<48x128xbf16>, %o: memref<128x128xf32>, %p: bf16) {
  %c0 = arith.constant 0 : index
  %pad = arith.constant 0.0 : bf16
  %zeros = arith.constant dense<0.0> : vector<128x128xf32>
  scf.forall (%t) in (1) {
    %weights = vector.broadcast %p : bf16 to vector<128x48xbf16>
    %values = vector.transfer_read %v[%c0, %c0], %pad {in_bounds = [true, true]}
      : memref<48x128xbf16>, vector<48x128xbf16>
    %sum = vector.contract {
        indexing_maps = [affine_map<(q, d, k) -> (q, k)>,
                         affine_map<(q, d, k) -> (k, d)>,
                         affine_map<(q, d, k) -> (q, d)>],
        iterator_types = ["parallel", "parallel", "reduction"],
        kind = #vector.kind<add>} %weights, %values, %zeros
      : vector<128x48xbf16>, vector<48x128xbf16> into vector<128x128xf32>
    vector.transfer_write %sum, %o[%c0, %c0] {in_bounds = [true, true]}
      : vector<128x128xf32>, memref<128x128xf32>
  }
  return
}

// CHECK-LABEL: func.func @columns_of_single
// CHECK:         gpu.launch {{.*}} threads({{.*}}) in (%{{.*}} = %c256{{[_0-9]*}},
func.func @columns_of_single(%v: memref<48x128xf32>, %o: memref<128x128xf32>, %p: f32) {
  %c0 = arith.constant 0 : index
  %pad = arith.constant 0.0 : f32
  %zeros = arith.constant dense<0.0> : vector<128x128xf32>
  scf.forall (%t) in (1) {
    %weights = vector.broadcast %p : f32 to vector<128x48xf32>
    %values = vector.transfer_read %v[%c0, %c0], %pad {in_bounds = [true, true]}
      : memref<48x128xf32>, vector<48x128xf32>
    %sum = vector.contract {
        indexing_maps = [affine_map<(q, d, k) -> (q, k)>,
                         affine_map<(q, d, k) -> (k, d)>,
                         affine_map<(q, d, k) -> (q, d)>],
        iterator_types = ["parallel", "parallel", "reduction"],
        kind = #vector.kind<add>} %weights, %values, %zeros
      : vector<128x48xf32>, vector<48x128xf32> into vector<128x128xf32>
    vector.transfer_write %sum, %o[%c0, %c0] {in_bounds = [true, true]}
      : vector<128x128xf32>, memref<128x128xf32>
  }
  return
}

// 64 keys and 144 values are too many.
//
// CHECK-LABEL: func.func @too_many_columns
// CHECK:         gpu.launch {{.*}} threads({{.*}}) in (%{{.*}} = %c256{{[_0-9]*}},
func.func @too_many_columns(%v: memref<64x144xbf16>, %o: memref<128x144xf32>, %p: bf16) {
  %c0 = arith.constant 0 : index
  %pad = arith.constant 0.0 : bf16
  %zeros = arith.constant dense<0.0> : vector<128x144xf32>
  scf.forall (%t) in (1) {
    %weights = vector.broadcast %p : bf16 to vector<128x64xbf16>
    %values = vector.transfer_read %v[%c0, %c0], %pad {in_bounds = [true, true]}
      : memref<64x144xbf16>, vector<64x144xbf16>
    %sum = vector.contract {
        indexing_maps = [affine_map<(q, d, k) -> (q, k)>,
                         affine_map<(q, d, k) -> (k, d)>,
                         affine_map<(q, d, k) -> (q, d)>],
        iterator_types = ["parallel", "parallel", "reduction"],
        kind = #vector.kind<add>} %weights, %values, %zeros
      : vector<128x64xbf16>, vector<64x144xbf16> into vector<128x144xf32>
    vector.transfer_write %sum, %o[%c0, %c0] {in_bounds = [true, true]}
      : vector<128x144xf32>, memref<128x144xf32>
  }
  return
}

// A name that is taken gets a number.
//
// CHECK-LABEL: func.func @taken
// CHECK:         gpu.launch {{.*}} module(@[[NAME:taken_kernels_[0-9]+]]) function(@taken_0)
// CHECK:       gpu.module @[[NAME]] attributes {sparse_attn.kernels}
// CHECK:       gpu.module @taken_kernels {
func.func @taken(%o: memref<8xi32>) {
  %one = arith.constant 1 : i32
  scf.forall (%t) in (8) {
    memref.store %one, %o[%t] : memref<8xi32>
  }
  return
}
gpu.module @taken_kernels {
}

// A constant of the module becomes a table of the kernel: one for all kernels that have it,
// in global memory.
//
// CHECK-DAG:   memref.global "private" constant @positions : memref<16xi32> = dense<3>
// CHECK-DAG:   memref.global "private" constant @tables_table : memref<16xi32, #gpu.address_space<global>> = dense<3> {alignment = 64 : i64, sparse_attn.kernels}
// CHECK-LABEL: func.func @tables
// CHECK-COUNT-2: memref.get_global @tables_table : memref<16xi32, #gpu.address_space<global>>
memref.global "private" constant @positions : memref<16xi32> = dense<3> {alignment = 64}

func.func @tables(%o: memref<16xi32>) {
  %c0 = arith.constant 0 : index
  %c0_i32 = arith.constant 0 : i32
  %table = memref.get_global @positions : memref<16xi32>
  scf.forall (%i) in (4) {
    %v = vector.transfer_read %table[%c0], %c0_i32 {in_bounds = [true]} : memref<16xi32>, vector<16xi32>
    vector.transfer_write %v, %o[%c0] {in_bounds = [true]} : vector<16xi32>, memref<16xi32>
  }
  scf.forall (%i) in (4) {
    %v = vector.transfer_read %table[%c0], %c0_i32 {in_bounds = [true]} : memref<16xi32>, vector<16xi32>
    vector.transfer_write %v, %o[%c0] {in_bounds = [true]} : vector<16xi32>, memref<16xi32>
  }
  return
}

// An argument of a launch is computed by the host only.
//
// CHECK-LABEL: func.func @device
// CHECK:         %[[SMS:.*]] = sparse_attn.sm_count
// CHECK:         %[[PARTS:.*]] = sparse_attn.launch_argument %[[SMS]]
// CHECK:         gpu.launch
// CHECK-NOT:       sparse_attn.sm_count
// CHECK:           %[[NARROW:.*]] = arith.index_castui %[[PARTS]] : index to i32
// CHECK:           arith.remui %{{.*}}, %[[NARROW]]
func.func @device(%o: memref<16x16xf32>) {
  %c0 = arith.constant 0 : index
  %zero = arith.constant dense<0.0> : vector<16x16xf32>
  %sms = sparse_attn.sm_count
  %parts = sparse_attn.launch_argument %sms
  scf.forall (%h, %part) in (3, %parts) {
    %own = arith.cmpi eq, %part, %h : index
    scf.if %own {
      vector.transfer_write %zero, %o[%c0, %c0] {in_bounds = [true, true]}
        : vector<16x16xf32>, memref<16x16xf32>
    }
  }
  return
}

// Rows that are written by their numbers are rows of a tile: four warps of 16.
//
// CHECK-LABEL: func.func @numbered_rows
// CHECK:         gpu.launch {{.*}} threads({{.*}}) in (%{{.*}} = %c128,
func.func @numbered_rows(%o: memref<?x16xf32>, %n: memref<64xi32>) {
  %c0 = arith.constant 0 : index
  %none = arith.constant 0 : i32
  %zero = arith.constant dense<0.0> : vector<64x16xf32>
  scf.forall (%i) in (4) {
    %rows = vector.transfer_read %n[%c0], %none {in_bounds = [true]} : memref<64xi32>, vector<64xi32>
    sparse_attn.write_rows %zero into %o at %rows : vector<64x16xf32>, vector<64xi32> into memref<?x16xf32>
  }
  return
}
