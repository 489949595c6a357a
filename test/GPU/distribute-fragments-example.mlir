// RUN: sparse-attn-opt %s --sparse-attn-distribute-fragments --canonicalize --cse | FileCheck %s

func.func @exponentials(%q: memref<32x16xf32, 1>, %o: memref<32x16xf32, 1>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c64 = arith.constant 64 : index
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %c1, %gy = %c1, %gz = %c1)
             threads(%tx, %ty, %tz) in (%sx = %c64, %sy = %c1, %sz = %c1) {
    %zero = arith.constant 0.0 : f32
    %s = vector.transfer_read %q[%c0, %c0], %zero {in_bounds = [true, true]}
      : memref<32x16xf32, 1>, vector<32x16xf32>
    %p = math.exp2 %s : vector<32x16xf32>
    vector.transfer_write %p, %o[%c0, %c0] {in_bounds = [true, true]}
      : vector<32x16xf32>, memref<32x16xf32, 1>
    gpu.terminator
  }
  return
}

// 32 x 16 values over two warps are 8 a thread, in four pairs that are side by side.
// CHECK: vector.load %{{.*}} : memref<32x16xf32, 1>, vector<2xf32>
// CHECK: %[[P:.*]] = math.exp2 %{{.*}} : vector<8xf32>
// CHECK: vector.store %{{.*}} : memref<32x16xf32, 1>, vector<2xf32>
