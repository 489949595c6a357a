// What a loop computes with its tiles stands in a branch that warps without live rows do
// not take; what warps do together stays outside.
//
// RUN: sparse-attn-opt %s --sparse-attn-skip-rows | FileCheck %s

#shared = #gpu.address_space<workgroup>
#md = affine_map<(m, n, d) -> (m, d)>
#nd = affine_map<(m, n, d) -> (n, d)>
#mn = affine_map<(m, n, d) -> (m, n)>

// A slot is released on both ways, behind the last use of its tile on the one. What only
// the products use comes along, the next tile's copies do not.
//
// CHECK-LABEL: func.func @ring
// CHECK:         scf.for {{.*}} iter_args(%[[M:.*]] = %{{.*}}, %{{.*}} = %{{.*}}) -> (vector<32xf32>, !sparse_attn_gpu.token)
// CHECK-NEXT:      sparse_attn_gpu.wait
// CHECK-NEXT:      %[[NEXT:.*]] = scf.if %{{.*}} -> (!sparse_attn_gpu.token)
// CHECK:             sparse_attn_gpu.stage
// CHECK:           %[[K:.*]] = sparse_attn_gpu.staged_tile
// CHECK-NEXT:      %[[SOME:.*]] = sparse_attn_gpu.has_rows %{{.*}} to %{{.*}} of 32
// CHECK-NEXT:      %[[MAX:.*]] = scf.if %[[SOME]] -> (vector<32xf32>) {
// CHECK-NEXT:        %[[S:.*]] = vector.contract {{.*}} %[[K]]
// CHECK-NEXT:        sparse_attn_gpu.release %[[RING:.*]][%[[T:.*]]] : <2>
// CHECK-NEXT:        %[[OTHERS:.*]] = sparse_attn_gpu.has_other_rows %{{.*}} to %{{.*}} of 32
// CHECK-NEXT:        %[[LIVE:.*]] = scf.if %[[OTHERS]] -> (vector<32x16xf32>) {
// CHECK-NEXT:          %[[MASK:.*]] = vector.broadcast
// CHECK-NEXT:          %[[MASKED:.*]] = arith.select %[[MASK]], %[[S]]
// CHECK-NEXT:          scf.yield %[[MASKED]]
// CHECK-NEXT:        } else {
// CHECK-NEXT:          scf.yield %[[S]]
// CHECK-NEXT:        }
// CHECK-NEXT:        %[[N:.*]] = vector.multi_reduction <maxnumf>, %[[LIVE]]
// CHECK-NEXT:        scf.yield %[[N]]
// CHECK-NEXT:      } else {
// CHECK-NEXT:        sparse_attn_gpu.release %[[RING]][%[[T]]] : <2>
// CHECK-NEXT:        scf.yield %[[M]]
// CHECK-NEXT:      }
// CHECK-NEXT:      scf.yield %[[MAX]], %[[NEXT]]
func.func @ring(%q: vector<32x32xf16>, %max: vector<32xf32>, %keys: memref<16x32xf16>, %allowed: vector<16xi1>,
                %begin: i32, %end: i32, %from: i32, %to: i32, %inside: i1) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c4 = arith.constant 4 : index
  %c64 = arith.constant 64 : index
  %zeros = arith.constant dense<0.0> : vector<32x16xf32>
  %never = arith.constant dense<0xFF800000> : vector<32x16xf32>
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %c1, %gy = %c1, %gz = %c1)
             threads(%tx, %ty, %tz) in (%sx = %c64, %sy = %c1, %sz = %c1) {
    %shared = gpu.dynamic_shared_memory : memref<?xi8, #shared>
    %ring = sparse_attn_gpu.ring %shared[%c0] : memref<?xi8, #shared> -> <2>
    %first = sparse_attn_gpu.join()
    %r:2 = scf.for %t = %c0 to %c4 step %c1 iter_args(%m = %max, %copy = %first) -> (vector<32xf32>, !sparse_attn_gpu.token) {
      sparse_attn_gpu.wait %copy of %ring[%t] : !sparse_attn_gpu.ring<2>
      %next = scf.if %inside -> (!sparse_attn_gpu.token) {
        %token = sparse_attn_gpu.stage %keys to %shared[%c0] rows 16 : memref<16x32xf16>, memref<?xi8, #shared>
        scf.yield %token : !sparse_attn_gpu.token
      } else {
        %none = sparse_attn_gpu.join()
        scf.yield %none : !sparse_attn_gpu.token
      }
      %k = sparse_attn_gpu.staged_tile %shared[%c0] : memref<?xi8, #shared> -> vector<16x32xf16>
      %mask = vector.broadcast %allowed : vector<16xi1> to vector<32x16xi1>
      sparse_attn_gpu.live_rows %begin to %end full %from to %to
      %s = vector.contract {indexing_maps = [#md, #nd, #mn], kind = #vector.kind<add>,
                            iterator_types = ["parallel", "parallel", "reduction"]} %q, %k, %zeros
        : vector<32x32xf16>, vector<16x32xf16> into vector<32x16xf32>
      sparse_attn_gpu.release %ring[%t] : <2>
      %masked = arith.select %mask, %s, %never : vector<32x16xi1>, vector<32x16xf32>
      %n = vector.multi_reduction <maxnumf>, %masked, %m [1] : vector<32x16xf32> to vector<32xf32>
      scf.yield %n, %next : vector<32xf32>, !sparse_attn_gpu.token
    }
    gpu.terminator
  }
  return
}

// Threads that agree on something meet for that.
//
// CHECK-LABEL: func.func @meeting
// CHECK-NOT:     sparse_attn_gpu.live_rows
// CHECK-NOT:     scf.if
// CHECK:         vector.contract
// CHECK-NOT:     scf.if
// CHECK:         return
func.func @meeting(%q: vector<32x32xf16>, %max: vector<32xf32>, %begin: i32, %end: i32, %from: i32, %to: i32, %finite: vector<32x16xi1>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c4 = arith.constant 4 : index
  %c64 = arith.constant 64 : index
  %true = arith.constant true
  %zeros = arith.constant dense<0.0> : vector<32x16xf32>
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %c1, %gy = %c1, %gz = %c1)
             threads(%tx, %ty, %tz) in (%sx = %c64, %sy = %c1, %sz = %c1) {
    %shared = gpu.dynamic_shared_memory : memref<?xi8, #shared>
    %ring = sparse_attn_gpu.ring %shared[%c0] : memref<?xi8, #shared> -> <2>
    %r = scf.for %t = %c0 to %c4 step %c1 iter_args(%m = %max) -> (vector<32xf32>) {
      %k = sparse_attn_gpu.staged_tile %shared[%c0] : memref<?xi8, #shared> -> vector<16x32xf16>
      sparse_attn_gpu.live_rows %begin to %end full %from to %to
      %s = vector.contract {indexing_maps = [#md, #nd, #mn], kind = #vector.kind<add>,
                            iterator_types = ["parallel", "parallel", "reduction"]} %q, %k, %zeros
        : vector<32x32xf16>, vector<16x32xf16> into vector<32x16xf32>
      sparse_attn_gpu.release %ring[%t] : <2>
      %large = arith.cmpf ogt, %s, %zeros : vector<32x16xf32>
      %all = vector.multi_reduction <and>, %large, %true [0, 1] : vector<32x16xi1> to i1
      %kept = arith.select %all, %s, %zeros : vector<32x16xf32>
      %n = vector.multi_reduction <maxnumf>, %kept, %m [1] : vector<32x16xf32> to vector<32xf32>
      scf.yield %n : vector<32xf32>
    }
    gpu.terminator
  }
  return
}

// The only warp has all rows.
//
// CHECK-LABEL: func.func @one_warp
// CHECK-NOT:     sparse_attn_gpu.live_rows
// CHECK-NOT:     sparse_attn_gpu.has_rows
// CHECK:         return
func.func @one_warp(%q: vector<16x32xf16>, %max: vector<16xf32>, %begin: i32, %end: i32, %from: i32, %to: i32) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c4 = arith.constant 4 : index
  %c32 = arith.constant 32 : index
  %zeros = arith.constant dense<0.0> : vector<16x16xf32>
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %c1, %gy = %c1, %gz = %c1)
             threads(%tx, %ty, %tz) in (%sx = %c32, %sy = %c1, %sz = %c1) {
    %shared = gpu.dynamic_shared_memory : memref<?xi8, #shared>
    %ring = sparse_attn_gpu.ring %shared[%c0] : memref<?xi8, #shared> -> <2>
    %r = scf.for %t = %c0 to %c4 step %c1 iter_args(%m = %max) -> (vector<16xf32>) {
      %k = sparse_attn_gpu.staged_tile %shared[%c0] : memref<?xi8, #shared> -> vector<16x32xf16>
      sparse_attn_gpu.live_rows %begin to %end full %from to %to
      %s = vector.contract {indexing_maps = [#md, #nd, #mn], kind = #vector.kind<add>,
                            iterator_types = ["parallel", "parallel", "reduction"]} %q, %k, %zeros
        : vector<16x32xf16>, vector<16x32xf16> into vector<16x16xf32>
      sparse_attn_gpu.release %ring[%t] : <2>
      %n = vector.multi_reduction <maxnumf>, %s, %m [1] : vector<16x16xf32> to vector<16xf32>
      scf.yield %n : vector<16xf32>
    }
    gpu.terminator
  }
  return
}

// Where a block meets for each tile, a warp that left one out would wait for the others.
//
// CHECK-LABEL: func.func @together
// CHECK-NOT:     sparse_attn_gpu.live_rows
// CHECK-NOT:     sparse_attn_gpu.has_rows
// CHECK:         return
func.func @together(%q: vector<32x32xf16>, %max: vector<32xf32>, %begin: i32, %end: i32, %from: i32, %to: i32) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c4 = arith.constant 4 : index
  %c64 = arith.constant 64 : index
  %zeros = arith.constant dense<0.0> : vector<32x16xf32>
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %c1, %gy = %c1, %gz = %c1)
             threads(%tx, %ty, %tz) in (%sx = %c64, %sy = %c1, %sz = %c1) {
    %shared = gpu.dynamic_shared_memory : memref<?xi8, #shared>
    %r = scf.for %t = %c0 to %c4 step %c1 iter_args(%m = %max) -> (vector<32xf32>) {
      %k = sparse_attn_gpu.staged_tile %shared[%c0] : memref<?xi8, #shared> -> vector<16x32xf16>
      sparse_attn_gpu.live_rows %begin to %end full %from to %to
      %s = vector.contract {indexing_maps = [#md, #nd, #mn], kind = #vector.kind<add>,
                            iterator_types = ["parallel", "parallel", "reduction"]} %q, %k, %zeros
        : vector<32x32xf16>, vector<16x32xf16> into vector<32x16xf32>
      %n = vector.multi_reduction <maxnumf>, %s, %m [1] : vector<32x16xf32> to vector<32xf32>
      scf.yield %n : vector<32xf32>
    }
    gpu.terminator
  }
  return
}
