// Whether the warps of a block run apart is a rule of the target.
//
// RUN: sparse-attn-opt %s --sparse-attn-stage-operands=target=sm_80 --canonicalize | FileCheck %s
// RUN: sparse-attn-opt %s --sparse-attn-stage-operands=target=sm_90 --canonicalize | FileCheck %s
// RUN: sparse-attn-opt %s --sparse-attn-stage-operands=target=sm_86 --canonicalize | FileCheck %s --check-prefix=MEET

#qd = affine_map<(m, n, d) -> (m, d)>
#kd = affine_map<(m, n, d) -> (n, d)>
#qk = affine_map<(m, n, d) -> (m, n)>

// A thread of 64 has 160 registers for the scores of 64 rows and 160 keys: the ring has
// a third slot, and no barrier.
//
// CHECK-LABEL: func.func @fits
// CHECK:         gpu.launch {{.*}} dynamic_shared_memory_size %c30768_i32
// CHECK:           sparse_attn_gpu.ring %{{.*}} -> <3>
// MEET-LABEL:  func.func @fits
// MEET:          gpu.launch {{.*}} dynamic_shared_memory_size %c20480_i32
// MEET-NOT:        sparse_attn_gpu.ring
// MEET:            gpu.barrier
func.func @fits(%q: vector<64x32xf16>, %k: memref<640x32xf16, #gpu.address_space<global>>,
                %max: vector<64xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c4 = arith.constant 4 : index
  %c64 = arith.constant 64 : index
  %c160 = arith.constant 160 : index
  %zero = arith.constant 0.0 : f16
  %zeros = arith.constant dense<0.0> : vector<64x160xf32>
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %c1, %gy = %c1, %gz = %c1)
             threads(%tx, %ty, %tz) in (%sx = %c64, %sy = %c1, %sz = %c1) {
    %r = scf.for %t = %c0 to %c4 step %c1 iter_args(%m = %max) -> (vector<64xf32>) {
      %row = arith.muli %t, %c160 : index
      %keys = memref.subview %k[%row, 0] [160, 32] [1, 1]
        : memref<640x32xf16, #gpu.address_space<global>>
          to memref<160x32xf16, strided<[32, 1], offset: ?>, #gpu.address_space<global>>
      %tile = vector.transfer_read %keys[%c0, %c0], %zero {in_bounds = [true, true]}
        : memref<160x32xf16, strided<[32, 1], offset: ?>, #gpu.address_space<global>>, vector<160x32xf16>
      %s = vector.contract {indexing_maps = [#qd, #kd, #qk],
                            iterator_types = ["parallel", "parallel", "reduction"],
                            kind = #vector.kind<add>} %q, %tile, %zeros
        : vector<64x32xf16>, vector<160x32xf16> into vector<64x160xf32>
      %n = vector.multi_reduction <maxnumf>, %s, %m [1] : vector<64x160xf32> to vector<64xf32>
      scf.yield %n : vector<64xf32>
    }
    gpu.terminator
  }
  return
}

// Of 176 keys they would be 176, which leaves none for the ring.
//
// CHECK-LABEL: func.func @too_many
// CHECK:         gpu.launch {{.*}} dynamic_shared_memory_size %c22528_i32
// CHECK-NOT:       sparse_attn_gpu.ring
// CHECK:           gpu.barrier
func.func @too_many(%q: vector<64x32xf16>, %k: memref<704x32xf16, #gpu.address_space<global>>,
                    %max: vector<64xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c4 = arith.constant 4 : index
  %c64 = arith.constant 64 : index
  %c176 = arith.constant 176 : index
  %zero = arith.constant 0.0 : f16
  %zeros = arith.constant dense<0.0> : vector<64x176xf32>
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %c1, %gy = %c1, %gz = %c1)
             threads(%tx, %ty, %tz) in (%sx = %c64, %sy = %c1, %sz = %c1) {
    %r = scf.for %t = %c0 to %c4 step %c1 iter_args(%m = %max) -> (vector<64xf32>) {
      %row = arith.muli %t, %c176 : index
      %keys = memref.subview %k[%row, 0] [176, 32] [1, 1]
        : memref<704x32xf16, #gpu.address_space<global>>
          to memref<176x32xf16, strided<[32, 1], offset: ?>, #gpu.address_space<global>>
      %tile = vector.transfer_read %keys[%c0, %c0], %zero {in_bounds = [true, true]}
        : memref<176x32xf16, strided<[32, 1], offset: ?>, #gpu.address_space<global>>, vector<176x32xf16>
      %s = vector.contract {indexing_maps = [#qd, #kd, #qk],
                            iterator_types = ["parallel", "parallel", "reduction"],
                            kind = #vector.kind<add>} %q, %tile, %zeros
        : vector<64x32xf16>, vector<176x32xf16> into vector<64x176xf32>
      %n = vector.multi_reduction <maxnumf>, %s, %m [1] : vector<64x176xf32> to vector<64xf32>
      scf.yield %n : vector<64xf32>
    }
    gpu.terminator
  }
  return
}
