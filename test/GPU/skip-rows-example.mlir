// RUN: sparse-attn-opt %s --sparse-attn-skip-rows | FileCheck %s

#shared = #gpu.address_space<workgroup>

func.func @scores(%q: vector<32x32xf16>, %max: vector<32xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c4 = arith.constant 4 : index
  %c64 = arith.constant 64 : index
  %c0_i32 = arith.constant 0 : i32
  %zeros = arith.constant dense<0.0> : vector<32x16xf32>
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %c1, %gy = %c1, %gz = %c1)
             threads(%tx, %ty, %tz) in (%sx = %c64, %sy = %c1, %sz = %c1) {
    %shared = gpu.dynamic_shared_memory : memref<?xi8, #shared>
    %ring = sparse_attn_gpu.ring %shared[%c0] : memref<?xi8, #shared> -> <2>
    %copy = sparse_attn_gpu.join()
    %r = scf.for %t = %c0 to %c4 step %c1 iter_args(%m = %max) -> (vector<32xf32>) {
      sparse_attn_gpu.wait %copy of %ring[%t] : !sparse_attn_gpu.ring<2>
      %k = sparse_attn_gpu.staged_tile %shared[%c0] : memref<?xi8, #shared> -> vector<16x32xf16>
      %end = arith.index_cast %t : index to i32
      sparse_attn_gpu.live_rows %c0_i32 to %end
      %s = vector.contract {
          indexing_maps = [affine_map<(m, n, d) -> (m, d)>, affine_map<(m, n, d) -> (n, d)>,
                           affine_map<(m, n, d) -> (m, n)>],
          iterator_types = ["parallel", "parallel", "reduction"], kind = #vector.kind<add>}
          %q, %k, %zeros : vector<32x32xf16>, vector<16x32xf16> into vector<32x16xf32>
      sparse_attn_gpu.release %ring[%t] : <2>
      %n = vector.multi_reduction <maxnumf>, %s, %m [1] : vector<32x16xf32> to vector<32xf32>
      scf.yield %n : vector<32xf32>
    }
    gpu.terminator
  }
  return
}

// CHECK:      scf.for %[[T:.*]] = {{.*}} iter_args(%[[M:.*]] = %{{.*}}) -> (vector<32xf32>) {
// CHECK-NEXT:   sparse_attn_gpu.wait
// CHECK-NEXT:   %[[K:.*]] = sparse_attn_gpu.staged_tile
// CHECK-NEXT:   %[[END:.*]] = arith.index_cast %[[T]]
// CHECK-NEXT:   %[[SOME:.*]] = sparse_attn_gpu.has_rows %c0_i32 to %[[END]] of 32
// CHECK-NEXT:   %[[NEXT:.*]] = scf.if %[[SOME]] -> (vector<32xf32>) {
// CHECK-NEXT:     vector.contract {{.*}} %{{.*}}, %[[K]], %{{.*}}
// CHECK-NEXT:     sparse_attn_gpu.release
// CHECK-NEXT:     %[[N:.*]] = vector.multi_reduction
// CHECK-NEXT:     scf.yield %[[N]]
// CHECK-NEXT:   } else {
// CHECK-NEXT:     sparse_attn_gpu.release
// CHECK-NEXT:     scf.yield %[[M]]
// CHECK-NEXT:   }
// CHECK-NEXT:   scf.yield %[[NEXT]]
