// RUN: sparse-attn-opt %s --sparse-attn-stage-operands --canonicalize | FileCheck %s

func.func @scores(%q: vector<16x32xf16>, %k: memref<64x32xf16, #gpu.address_space<global>>, %max: vector<16xf32>) {
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
      %s = vector.contract {
          indexing_maps = [affine_map<(m, n, d) -> (m, d)>, affine_map<(m, n, d) -> (n, d)>,
                           affine_map<(m, n, d) -> (m, n)>],
          iterator_types = ["parallel", "parallel", "reduction"], kind = #vector.kind<add>}
          %q, %tile, %zeros : vector<16x32xf16>, vector<16x32xf16> into vector<16x16xf32>
      %n = vector.multi_reduction <maxnumf>, %s, %m [1] : vector<16x16xf32> to vector<16xf32>
      scf.yield %n : vector<16xf32>
    }
    gpu.terminator
  }
  return
}

// A ring of two slots, of 1024 bytes each; tile 0 sets out before the loop.
// CHECK:      %[[SHARED:.*]] = gpu.dynamic_shared_memory
// CHECK:      %[[COPY:.*]] = sparse_attn_gpu.stage %{{.*}} to %[[SHARED]][%c0] rows 16
// CHECK:      %[[FIRST:.*]] = sparse_attn_gpu.join(%[[COPY]])
// Behind the wait tile t is there, and the slot of t - 1 is free.
// CHECK:      scf.for %[[T:.*]] = %c0 to %c4 step %c1 iter_args({{.*}}, %[[THIS:.*]] = %[[FIRST]]) {{.*}} {
// CHECK-NEXT:   sparse_attn_gpu.wait %[[THIS]]
// CHECK-NEXT:   %[[NEXT:.*]] = arith.addi %[[T]], %c1 : index
// CHECK-NEXT:   %[[INSIDE:.*]] = arith.cmpi slt, %[[NEXT]], %c4 : index
// CHECK-NEXT:   %[[LATER:.*]] = scf.if %[[INSIDE]] -> (!sparse_attn_gpu.token) {
// CHECK:          sparse_attn_gpu.stage %{{.*}} to %[[SHARED]][%{{.*}}] rows 16
// CHECK:        }
// CHECK:        %[[K:.*]] = sparse_attn_gpu.staged_tile %[[SHARED]][%{{.*}}] : {{.*}} -> vector<16x32xf16>
// CHECK:        vector.contract {{.*}} %{{.*}}, %[[K]], {{.*}} into vector<16x16xf32>
// CHECK:        scf.yield %{{.*}}, %[[LATER]]
