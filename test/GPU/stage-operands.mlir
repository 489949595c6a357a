// Tiles that products take as right operands come through a ring in shared memory.
//
// RUN: sparse-attn-opt %s --sparse-attn-stage-operands --canonicalize | FileCheck %s
// RUN: sparse-attn-opt %s --sparse-attn-stage-operands="stages=3" --canonicalize | FileCheck %s --check-prefix=THREE

#qd = affine_map<(m, n, d) -> (m, d)>
#kd = affine_map<(m, n, d) -> (n, d)>
#qk = affine_map<(m, n, d) -> (m, n)>

// Two slots of 1024 bytes. Before the loop tile 0 is on its way, and the loop carries its
// token; in iteration t tile t is there, and nobody reads tile t - 1 any more: t + 1 may
// come to its place.
//
// CHECK-LABEL: func.func @ring
// CHECK-SAME:    %[[Q:[a-z0-9]+]]: vector<16x32xf16>, %[[K:[a-z0-9]+]]:
// CHECK:         gpu.launch {{.*}} dynamic_shared_memory_size %c2048_i32
// CHECK:           %[[SHARED:.*]] = gpu.dynamic_shared_memory
// CHECK:           gpu.barrier
// CHECK:           %[[COPY:.*]] = sparse_attn_gpu.stage %{{.*}} to %[[SHARED]][%c0] rows 16
// CHECK:           %[[FIRST:.*]] = sparse_attn_gpu.join(%[[COPY]])
// CHECK:           scf.for %[[T:.*]] = %c0 to %c4 step %c1 iter_args(%{{.*}} = %{{.*}}, %[[THIS:.*]] = %[[FIRST]])
// CHECK-NEXT:        sparse_attn_gpu.wait %[[THIS]]
// CHECK-NEXT:        %[[NEXT:.*]] = arith.addi %[[T]], %c1
// CHECK-NEXT:        %[[INSIDE:.*]] = arith.cmpi slt, %[[NEXT]], %c4
// CHECK-NEXT:        %[[LATER:.*]] = scf.if %[[INSIDE]] -> (!sparse_attn_gpu.token)
// CHECK:               %[[SLOT:.*]] = arith.remui %[[NEXT]], %c2
// CHECK:               %[[TO:.*]] = arith.muli %[[SLOT]], %c1024
// CHECK:               %[[ROW:.*]] = arith.muli %[[NEXT]], %c16
// CHECK:               %[[TILE:.*]] = memref.subview %[[K]][%[[ROW]], 0]
// CHECK:               %[[COPY:.*]] = sparse_attn_gpu.stage %[[TILE]] to %[[SHARED]][%[[TO]]] rows 16
// CHECK:               %[[JOINED:.*]] = sparse_attn_gpu.join(%[[COPY]])
// CHECK:               scf.yield %[[JOINED]]
// CHECK:             } else {
// CHECK-NEXT:          %[[NOTHING:.*]] = sparse_attn_gpu.join()
// CHECK-NEXT:          scf.yield %[[NOTHING]]
// CHECK:             %[[CURRENT:.*]] = arith.remui %[[T]], %c2
// CHECK:             %[[FROM:.*]] = arith.muli %[[CURRENT]], %c1024
// CHECK:             %[[STAGED:.*]] = sparse_attn_gpu.staged_tile %[[SHARED]][%[[FROM]]]
// CHECK-NOT:         vector.transfer_read
// CHECK:             vector.contract {{.*}} %[[Q]], %[[STAGED]],
// CHECK:             scf.yield %{{.*}}, %[[LATER]]
//
// With three slots two tiles are on their way, of which the older one is waited for.
//
// THREE-LABEL: func.func @ring
// THREE:         gpu.launch {{.*}} dynamic_shared_memory_size %c3072_i32
// THREE:           %[[ZERO:.*]] = sparse_attn_gpu.join(%
// THREE:           %[[ONE:.*]] = sparse_attn_gpu.join(%
// THREE:           scf.for {{.*}}, %[[OLDER:.*]] = %[[ZERO]], %[[NEWER:.*]] = %[[ONE]])
// THREE-NEXT:        sparse_attn_gpu.wait %[[OLDER]]
// THREE:             arith.addi %{{.*}}, %c2
// THREE:             %[[LATER:.*]] = scf.if
// THREE:             scf.yield %{{.*}}, %[[NEWER]], %[[LATER]]
//
// Where warps run apart, there is one slot more. Each iteration waits for its own tile,
// reserves the slot of a later one, and lets its slot go behind the last product.
//
// RUN: sparse-attn-opt %s --sparse-attn-stage-operands="mbarriers" --canonicalize | FileCheck %s --check-prefix=APART
//
// APART-LABEL: func.func @ring
// APART:         gpu.launch {{.*}} dynamic_shared_memory_size %c3120_i32
// APART:           %[[SHARED:.*]] = gpu.dynamic_shared_memory
// APART:           %[[RING:.*]] = sparse_attn_gpu.ring %[[SHARED]][%c3072] : {{.*}} -> <3>
// APART-NOT:       reserve
// APART:           %[[FIRST:.*]] = sparse_attn_gpu.fill %[[RING]][%c0] by (%
// APART:           scf.for %[[T:.*]] = %c0 to %c4 step %c1 iter_args(%{{.*}} = %{{.*}}, %[[THIS:.*]] = %[[FIRST]])
// APART-NEXT:        sparse_attn_gpu.wait %[[THIS]] of %[[RING]][%[[T]]] : !sparse_attn_gpu.ring<3>
// APART:             %[[NEXT:.*]] = arith.addi %[[T]], %c1
// APART:             scf.if
// APART:               sparse_attn_gpu.reserve %[[RING]][%[[NEXT]]] : <3>
// APART:               %[[COPY:.*]] = sparse_attn_gpu.stage
// APART:               sparse_attn_gpu.fill %[[RING]][%[[NEXT]]] by (%[[COPY]]) : <3>
// APART:             vector.contract
// APART-NEXT:        sparse_attn_gpu.release %[[RING]][%[[T]]] : <3>
// APART-NOT:       gpu.barrier
// APART:           gpu.terminator
//
// The lanes of a block of one warp meet anyhow: no target has them run apart.
//
// RUN: sparse-attn-opt %s --sparse-attn-stage-operands="target=sm_80" --canonicalize | FileCheck %s --check-prefix=LANES
//
// LANES-LABEL: func.func @ring
// LANES:         gpu.launch {{.*}} dynamic_shared_memory_size %c2048_i32
// LANES-NOT:     sparse_attn_gpu.ring
// LANES:         gpu.terminator
func.func @ring(%q: vector<16x32xf16>, %k: memref<64x32xf16, #gpu.address_space<global>>,
                %max: vector<16xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c4 = arith.constant 4 : index
  %c16 = arith.constant 16 : index
  %c32 = arith.constant 32 : index
  %zero = arith.constant 0.0 : f16
  %zeros = arith.constant dense<0.0> : vector<16x16xf32>
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %c1, %gy = %c1, %gz = %c1)
             threads(%tx, %ty, %tz) in (%sx = %c32, %sy = %c1, %sz = %c1) {
    %r = scf.for %t = %c0 to %c4 step %c1 iter_args(%m = %max) -> (vector<16xf32>) {
      %row = arith.muli %t, %c16 : index
      %keys = memref.subview %k[%row, 0] [16, 32] [1, 1]
        : memref<64x32xf16, #gpu.address_space<global>>
          to memref<16x32xf16, strided<[32, 1], offset: ?>, #gpu.address_space<global>>
      %tile = vector.transfer_read %keys[%c0, %c0], %zero {in_bounds = [true, true]}
        : memref<16x32xf16, strided<[32, 1], offset: ?>, #gpu.address_space<global>>, vector<16x32xf16>
      %s = vector.contract {indexing_maps = [#qd, #kd, #qk],
                            iterator_types = ["parallel", "parallel", "reduction"],
                            kind = #vector.kind<add>} %q, %tile, %zeros
        : vector<16x32xf16>, vector<16x32xf16> into vector<16x16xf32>
      %n = vector.multi_reduction <maxnumf>, %s, %m [1] : vector<16x16xf32> to vector<16xf32>
      scf.yield %n : vector<16xf32>
    }
    gpu.terminator
  }
  return
}

// A tile outside any loop is copied where it is read, and waited for. The queries,
// 16 registers a thread here, stay in registers unless the option says otherwise.
//
// RUN: sparse-attn-opt %s --sparse-attn-stage-operands="query-registers=4" --canonicalize | FileCheck %s --check-prefix=QUERIES
//
// CHECK-LABEL: func.func @once
// CHECK:           vector.transfer_read {{.*}} vector<16x32xf16>
// CHECK:           gpu.barrier
// CHECK-NEXT:      %[[COPY:.*]] = sparse_attn_gpu.stage %{{.*}} to %[[SHARED:.*]][%c0] rows 16
// CHECK-NEXT:      sparse_attn_gpu.wait %[[COPY]]{{$}}
// CHECK-NEXT:      sparse_attn_gpu.staged_tile %[[SHARED]][%c0]
//
// In shared memory they lie behind the keys, and are waited for with them.
//
// QUERIES-LABEL: func.func @once
// QUERIES:         gpu.launch {{.*}} dynamic_shared_memory_size %c2048_i32
// QUERIES-NOT:       vector.transfer_read
// QUERIES:           %[[COPY:.*]] = sparse_attn_gpu.stage %{{.*}} to %[[SHARED:.*]][%c1024] rows 16
// QUERIES:           %[[Q:.*]] = sparse_attn_gpu.staged_tile %[[SHARED]][%c1024]
// QUERIES:           %[[KEYS:.*]] = sparse_attn_gpu.stage %
// QUERIES-NEXT:      sparse_attn_gpu.wait %[[KEYS]], %[[COPY]]
// QUERIES-NEXT:      %[[K:.*]] = sparse_attn_gpu.staged_tile %[[SHARED]][%c0]
// QUERIES-NEXT:      vector.contract {{.*}} %[[Q]], %[[K]],
func.func @once(%q: memref<16x32xf16, #gpu.address_space<global>>,
                %k: memref<16x32xf16, #gpu.address_space<global>>,
                %o: memref<16x16xf32, #gpu.address_space<global>>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c32 = arith.constant 32 : index
  %zero = arith.constant 0.0 : f16
  %zeros = arith.constant dense<0.0> : vector<16x16xf32>
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %c1, %gy = %c1, %gz = %c1)
             threads(%tx, %ty, %tz) in (%sx = %c32, %sy = %c1, %sz = %c1) {
    %queries = vector.transfer_read %q[%c0, %c0], %zero {in_bounds = [true, true]}
      : memref<16x32xf16, #gpu.address_space<global>>, vector<16x32xf16>
    %keys = vector.transfer_read %k[%c0, %c0], %zero {in_bounds = [true, true]}
      : memref<16x32xf16, #gpu.address_space<global>>, vector<16x32xf16>
    %s = vector.contract {indexing_maps = [#qd, #kd, #qk],
                          iterator_types = ["parallel", "parallel", "reduction"],
                          kind = #vector.kind<add>} %queries, %keys, %zeros
      : vector<16x32xf16>, vector<16x32xf16> into vector<16x16xf32>
    vector.transfer_write %s, %o[%c0, %c0] {in_bounds = [true, true]}
      : vector<16x16xf32>, memref<16x16xf32, #gpu.address_space<global>>
    gpu.terminator
  }
  return
}

// The ring of a loop overwrites a tile that was copied before it: what uses the tile
// behind the loop gets a copy of its own.
//
// CHECK-LABEL: func.func @behind_a_loop
// CHECK:           sparse_attn_gpu.stage %
// CHECK:           %[[FIRST:.*]] = sparse_attn_gpu.staged_tile
// CHECK:           vector.contract {{.*}}, %[[FIRST]],
// CHECK:           scf.for
// CHECK:             vector.contract
// CHECK:           scf.if
// CHECK:             sparse_attn_gpu.stage %
// CHECK:             %[[AGAIN:.*]] = sparse_attn_gpu.staged_tile
// CHECK:             vector.contract {{.*}}, %[[AGAIN]],
func.func @behind_a_loop(%q: vector<16x32xf16>, %k: memref<64x32xf16, #gpu.address_space<global>>,
                         %o: memref<16x16xf32, #gpu.address_space<global>>, %c: i1) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c4 = arith.constant 4 : index
  %c16 = arith.constant 16 : index
  %c32 = arith.constant 32 : index
  %zero = arith.constant 0.0 : f16
  %zeros = arith.constant dense<0.0> : vector<16x16xf32>
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %c1, %gy = %c1, %gz = %c1)
             threads(%tx, %ty, %tz) in (%sx = %c32, %sy = %c1, %sz = %c1) {
    %once = vector.transfer_read %k[%c0, %c0], %zero {in_bounds = [true, true]}
      : memref<64x32xf16, #gpu.address_space<global>>, vector<16x32xf16>
    %s = vector.contract {indexing_maps = [#qd, #kd, #qk],
                          iterator_types = ["parallel", "parallel", "reduction"],
                          kind = #vector.kind<add>} %q, %once, %zeros
      : vector<16x32xf16>, vector<16x32xf16> into vector<16x16xf32>
    %r = scf.for %t = %c0 to %c4 step %c1 iter_args(%a = %s) -> (vector<16x16xf32>) {
      %row = arith.muli %t, %c16 : index
      %keys = memref.subview %k[%row, 0] [16, 32] [1, 1]
        : memref<64x32xf16, #gpu.address_space<global>>
          to memref<16x32xf16, strided<[32, 1], offset: ?>, #gpu.address_space<global>>
      %tile = vector.transfer_read %keys[%c0, %c0], %zero {in_bounds = [true, true]}
        : memref<16x32xf16, strided<[32, 1], offset: ?>, #gpu.address_space<global>>, vector<16x32xf16>
      %n = vector.contract {indexing_maps = [#qd, #kd, #qk],
                            iterator_types = ["parallel", "parallel", "reduction"],
                            kind = #vector.kind<add>} %q, %tile, %a
        : vector<16x32xf16>, vector<16x32xf16> into vector<16x16xf32>
      scf.yield %n : vector<16x16xf32>
    }
    scf.if %c {
      %n = vector.contract {indexing_maps = [#qd, #kd, #qk],
                            iterator_types = ["parallel", "parallel", "reduction"],
                            kind = #vector.kind<add>} %q, %once, %r
        : vector<16x32xf16>, vector<16x32xf16> into vector<16x16xf32>
      vector.transfer_write %n, %o[%c0, %c0] {in_bounds = [true, true]}
        : vector<16x16xf32>, memref<16x16xf32, #gpu.address_space<global>>
    }
    gpu.terminator
  }
  return
}

// Queries that are read behind the keys of their product are waited for at once.
//
// QUERIES-LABEL: func.func @late_queries
// QUERIES:           %[[KEYS:.*]] = sparse_attn_gpu.stage %
// QUERIES-NEXT:      sparse_attn_gpu.wait %[[KEYS]]{{$}}
// QUERIES:           %[[COPY:.*]] = sparse_attn_gpu.stage %
// QUERIES-NEXT:      sparse_attn_gpu.wait %[[COPY]]{{$}}
func.func @late_queries(%q: memref<16x32xf16, #gpu.address_space<global>>,
                        %k: memref<16x32xf16, #gpu.address_space<global>>,
                        %o: memref<16x16xf32, #gpu.address_space<global>>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c32 = arith.constant 32 : index
  %zero = arith.constant 0.0 : f16
  %zeros = arith.constant dense<0.0> : vector<16x16xf32>
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %c1, %gy = %c1, %gz = %c1)
             threads(%tx, %ty, %tz) in (%sx = %c32, %sy = %c1, %sz = %c1) {
    %keys = vector.transfer_read %k[%c0, %c0], %zero {in_bounds = [true, true]}
      : memref<16x32xf16, #gpu.address_space<global>>, vector<16x32xf16>
    %queries = vector.transfer_read %q[%c0, %c0], %zero {in_bounds = [true, true]}
      : memref<16x32xf16, #gpu.address_space<global>>, vector<16x32xf16>
    %s = vector.contract {indexing_maps = [#qd, #kd, #qk],
                          iterator_types = ["parallel", "parallel", "reduction"],
                          kind = #vector.kind<add>} %queries, %keys, %zeros
      : vector<16x32xf16>, vector<16x32xf16> into vector<16x16xf32>
    vector.transfer_write %s, %o[%c0, %c0] {in_bounds = [true, true]}
      : vector<16x16xf32>, memref<16x16xf32, #gpu.address_space<global>>
    gpu.terminator
  }
  return
}

// A loop that begins with its reads.
//
// CHECK-LABEL: func.func @read_first
// CHECK:           scf.for
// CHECK-NEXT:        sparse_attn_gpu.wait
// CHECK:             %[[A:.*]] = sparse_attn_gpu.staged_tile
// CHECK:             %[[B:.*]] = sparse_attn_gpu.staged_tile
// CHECK:             vector.contract {{.*}}, %[[A]],
// CHECK:             vector.contract {{.*}}, %[[B]],
func.func @read_first(%q: vector<16x32xf16>, %k: memref<16x32xf16>, %v: memref<16x32xf16>,
                      %zeros: vector<16x16xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c4 = arith.constant 4 : index
  %c32 = arith.constant 32 : index
  %zero = arith.constant 0.0 : f16
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %c1, %gy = %c1, %gz = %c1)
             threads(%tx, %ty, %tz) in (%sx = %c32, %sy = %c1, %sz = %c1) {
    %r = scf.for %t = %c0 to %c4 step %c1 iter_args(%a = %zeros) -> (vector<16x16xf32>) {
      %first = vector.transfer_read %k[%c0, %c0], %zero {in_bounds = [true, true]}
        : memref<16x32xf16>, vector<16x32xf16>
      %second = vector.transfer_read %v[%c0, %c0], %zero {in_bounds = [true, true]}
        : memref<16x32xf16>, vector<16x32xf16>
      %s = vector.contract {indexing_maps = [#qd, #kd, #qk],
                            iterator_types = ["parallel", "parallel", "reduction"],
                            kind = #vector.kind<add>} %q, %first, %a
        : vector<16x32xf16>, vector<16x32xf16> into vector<16x16xf32>
      %n = vector.contract {indexing_maps = [#qd, #kd, #qk],
                            iterator_types = ["parallel", "parallel", "reduction"],
                            kind = #vector.kind<add>} %q, %second, %s
        : vector<16x32xf16>, vector<16x32xf16> into vector<16x16xf32>
      scf.yield %n : vector<16x16xf32>
    }
    gpu.terminator
  }
  return
}

// Rows by their numbers: what a number depends on is computed for the tile that is copied,
// and the number itself in the copy, for a row.
//
// CHECK-LABEL: func.func @numbered
// CHECK-SAME:    %[[K:[a-z0-9]+]]: memref<?x32xf16>, %[[TABLE:[a-z0-9]+]]: memref<64xi32>
// CHECK:         scf.for
// CHECK:           %[[NEXT:.*]] = arith.addi %{{.*}}, %c1
// CHECK:           scf.if
// CHECK:             %[[FIRST:.*]] = arith.muli %[[NEXT]], %c16
// CHECK:             sparse_attn_gpu.stage %[[K]] to %{{.*}}[%{{.*}}] rows 16 at {
// CHECK-NEXT:        ^bb0(%[[M:.*]]: i32):
// CHECK-NEXT:          %[[PLACE:.*]] = arith.index_castui %[[M]] : i32 to index
// CHECK-NEXT:          %[[AT:.*]] = arith.addi %[[FIRST]], %[[PLACE]]
// CHECK-NEXT:          %[[LISTED:.*]] = memref.load %[[TABLE]][%[[AT]]]
// CHECK-NEXT:          %[[THRICE:.*]] = arith.muli %[[LISTED]], %c3_i32
// CHECK-NEXT:          sparse_attn_gpu.yield %[[THRICE]]
// CHECK-NOT:       sparse_attn.read_rows
// CHECK:           vector.contract
func.func @numbered(%q: vector<16x32xf16>, %k: memref<?x32xf16>, %table: memref<64xi32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c4 = arith.constant 4 : index
  %c16 = arith.constant 16 : index
  %c32 = arith.constant 32 : index
  %zero = arith.constant 0 : i32
  %init = arith.constant dense<0.0> : vector<16x16xf32>
  %three = arith.constant dense<3> : vector<16xi32>
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %c1, %gy = %c1, %gz = %c1)
             threads(%tx, %ty, %tz) in (%sx = %c32, %sy = %c1, %sz = %c1) {
    %r = scf.for %t = %c0 to %c4 step %c1 iter_args(%s = %init) -> (vector<16x16xf32>) {
      %first = arith.muli %t, %c16 : index
      %listed = vector.transfer_read %table[%first], %zero {in_bounds = [true]} : memref<64xi32>, vector<16xi32>
      %numbers = arith.muli %listed, %three : vector<16xi32>
      %keys = sparse_attn.read_rows %k at %numbers : memref<?x32xf16>, vector<16xi32> -> vector<16x32xf16>
      %p = vector.contract {indexing_maps = [#qd, #kd, #qk],
                            iterator_types = ["parallel", "parallel", "reduction"],
                            kind = #vector.kind<add>} %q, %keys, %s
        : vector<16x32xf16>, vector<16x32xf16> into vector<16x16xf32>
      scf.yield %p : vector<16x16xf32>
    }
    gpu.terminator
  }
  return
}

// Where a thread has more than 128 accumulators, 144 here, tiles are counted in 32 bits: an index
// takes two registers, and so does each bound.
//
// CHECK-LABEL: func.func @many_keys
// CHECK:           scf.for %[[T:.*]] = %c0_i32 to %c4_i32 step %c1_i32 iter_args(%{{.*}} = %{{.*}}, %[[THIS:.*]] = %{{.*}})
// CHECK-NEXT:        sparse_attn_gpu.wait %[[THIS]]
// CHECK-NEXT:        %[[NEXT:.*]] = arith.addi %[[T]], %c1_i32 : i32
// CHECK-NEXT:        %[[INSIDE:.*]] = arith.cmpi slt, %[[NEXT]], %c4_i32 : i32
// CHECK:             scf.if %[[INSIDE]]
// CHECK:               %[[SLOT:.*]] = arith.remui %[[NEXT]], %c2_i32
// CHECK:               %[[PLACE:.*]] = arith.index_castui %[[SLOT]]
// CHECK:               arith.muli %[[PLACE]], %c18432
// CHECK:               %[[TILE:.*]] = arith.index_castui %[[NEXT]]
// CHECK:               arith.muli %[[TILE]], %c288
// CHECK:             %[[CURRENT:.*]] = arith.remui %[[T]], %c2_i32
func.func @many_keys(%q: vector<16x32xf16>, %k: memref<1152x32xf16, #gpu.address_space<global>>,
                     %max: vector<16xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c4 = arith.constant 4 : index
  %c288 = arith.constant 288 : index
  %c32 = arith.constant 32 : index
  %zero = arith.constant 0.0 : f16
  %zeros = arith.constant dense<0.0> : vector<16x288xf32>
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %c1, %gy = %c1, %gz = %c1)
             threads(%tx, %ty, %tz) in (%sx = %c32, %sy = %c1, %sz = %c1) {
    %r = scf.for %t = %c0 to %c4 step %c1 iter_args(%m = %max) -> (vector<16xf32>) {
      %row = arith.muli %t, %c288 : index
      %keys = memref.subview %k[%row, 0] [288, 32] [1, 1]
        : memref<1152x32xf16, #gpu.address_space<global>>
          to memref<288x32xf16, strided<[32, 1], offset: ?>, #gpu.address_space<global>>
      %tile = vector.transfer_read %keys[%c0, %c0], %zero {in_bounds = [true, true]}
        : memref<288x32xf16, strided<[32, 1], offset: ?>, #gpu.address_space<global>>, vector<288x32xf16>
      %s = vector.contract {indexing_maps = [#qd, #kd, #qk],
                            iterator_types = ["parallel", "parallel", "reduction"],
                            kind = #vector.kind<add>} %q, %tile, %zeros
        : vector<16x32xf16>, vector<288x32xf16> into vector<16x288xf32>
      %n = vector.multi_reduction <maxnumf>, %s, %m [1] : vector<16x288xf32> to vector<16xf32>
      scf.yield %n : vector<16xf32>
    }
    gpu.terminator
  }
  return
}
