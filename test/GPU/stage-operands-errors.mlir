// RUN: sparse-attn-opt %s --sparse-attn-stage-operands="shared-limit=3000" --split-input-file --verify-diagnostics
// RUN: not sparse-attn-opt %s --sparse-attn-stage-operands="stages=1" --split-input-file 2>&1 | FileCheck %s --check-prefix=STAGES

// STAGES: error: stages must be at least 2

#qd = affine_map<(m, n, d) -> (m, d)>
#kd = affine_map<(m, n, d) -> (n, d)>
#qk = affine_map<(m, n, d) -> (m, n)>

// Rows of 4 elements, half of what a product takes.
func.func @narrow(%q: vector<16x4xf16>, %k: memref<16x4xf16>, %s: vector<16x16xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c32 = arith.constant 32 : index
  %zero = arith.constant 0.0 : f16
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %c1, %gy = %c1, %gz = %c1)
             threads(%tx, %ty, %tz) in (%sx = %c32, %sy = %c1, %sz = %c1) {
    // expected-error@below {{'vector.transfer_read' op is not of the form that kernels are made of; 'sparse-attn-verify-gpu-form' says what is wrong}}
    %keys = vector.transfer_read %k[%c0, %c0], %zero {in_bounds = [true, true]} : memref<16x4xf16>, vector<16x4xf16>
    %r = vector.contract {indexing_maps = [#qd, #kd, #qk],
                          iterator_types = ["parallel", "parallel", "reduction"],
                          kind = #vector.kind<add>} %q, %keys, %s
      : vector<16x4xf16>, vector<16x4xf16> into vector<16x16xf32>
    gpu.terminator
  }
  return
}

// -----

#qd = affine_map<(m, n, d) -> (m, d)>
#kd = affine_map<(m, n, d) -> (n, d)>
#qk = affine_map<(m, n, d) -> (m, n)>

func.func @padding(%q: vector<16x16xf16>, %k: memref<?x16xf16>, %s: vector<16x16xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c32 = arith.constant 32 : index
  %one = arith.constant 1.0 : f16
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %c1, %gy = %c1, %gz = %c1)
             threads(%tx, %ty, %tz) in (%sx = %c32, %sy = %c1, %sz = %c1) {
    // expected-error@below {{'vector.transfer_read' op is not of the form that kernels are made of; 'sparse-attn-verify-gpu-form' says what is wrong}}
    %keys = vector.transfer_read %k[%c0, %c0], %one {in_bounds = [false, true]} : memref<?x16xf16>, vector<16x16xf16>
    %r = vector.contract {indexing_maps = [#qd, #kd, #qk],
                          iterator_types = ["parallel", "parallel", "reduction"],
                          kind = #vector.kind<add>} %q, %keys, %s
      : vector<16x16xf16>, vector<16x16xf16> into vector<16x16xf32>
    gpu.terminator
  }
  return
}

// -----

#qd = affine_map<(m, n, d) -> (m, d)>
#kd = affine_map<(m, n, d) -> (n, d)>
#qk = affine_map<(m, n, d) -> (m, n)>

func.func @within(%q: vector<16x16xf16>, %k: memref<64x16xf16>, %s: vector<16x16xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c32 = arith.constant 32 : index
  %one = arith.constant 1.0 : f16
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %c1, %gy = %c1, %gz = %c1)
             threads(%tx, %ty, %tz) in (%sx = %c32, %sy = %c1, %sz = %c1) {
    // expected-error@below {{'vector.transfer_read' op is not of the form that kernels are made of; 'sparse-attn-verify-gpu-form' says what is wrong}}
    %keys = vector.transfer_read %k[%c32, %c0], %one {in_bounds = [true, true]} : memref<64x16xf16>, vector<16x16xf16>
    %r = vector.contract {indexing_maps = [#qd, #kd, #qk],
                          iterator_types = ["parallel", "parallel", "reduction"],
                          kind = #vector.kind<add>} %q, %keys, %s
      : vector<16x16xf16>, vector<16x16xf16> into vector<16x16xf32>
    gpu.terminator
  }
  return
}

// -----

#qd = affine_map<(m, n, d) -> (m, d)>
#kd = affine_map<(m, n, d) -> (n, d)>
#qk = affine_map<(m, n, d) -> (m, n)>

// Two slots of 16 rows of 128 bytes are 4096 bytes.
func.func @limit(%q: vector<16x64xf16>, %k: memref<16x64xf16>, %s: vector<16x16xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c4 = arith.constant 4 : index
  %c32 = arith.constant 32 : index
  %zero = arith.constant 0.0 : f16
  // expected-error@below {{'gpu.launch' op needs 4096 bytes of shared memory for 2 stages of keys and values, the queries and lists, 1096 more than the 3000 that a block may use; choose fewer keys or queries a tile, or fewer stages}}
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %c1, %gy = %c1, %gz = %c1)
             threads(%tx, %ty, %tz) in (%sx = %c32, %sy = %c1, %sz = %c1) {
    scf.for %t = %c0 to %c4 step %c1 {
      %keys = vector.transfer_read %k[%c0, %c0], %zero {in_bounds = [true, true]} : memref<16x64xf16>, vector<16x64xf16>
      %r = vector.contract {indexing_maps = [#qd, #kd, #qk],
                            iterator_types = ["parallel", "parallel", "reduction"],
                            kind = #vector.kind<add>} %q, %keys, %s
        : vector<16x64xf16>, vector<16x64xf16> into vector<16x16xf32>
    }
    gpu.terminator
  }
  return
}

// -----

#qd = affine_map<(m, n, d) -> (m, d)>
#kd = affine_map<(m, n, d) -> (n, d)>
#qk = affine_map<(m, n, d) -> (m, n)>

// A list of the block's own counts: 100 bytes, in rows of 128.
func.func @list(%q: vector<16x64xf16>, %k: memref<16x64xf16>, %s: vector<16x16xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c4 = arith.constant 4 : index
  %c32 = arith.constant 32 : index
  %zero = arith.constant 0.0 : f16
  // expected-error@below {{'gpu.launch' op needs 4224 bytes of shared memory for 2 stages of keys and values, the queries and lists, 1224 more than the 3000 that a block may use; choose fewer keys or queries a tile, or fewer stages}}
  gpu.launch blocks(%bx, %by, %bz) in (%gx = %c1, %gy = %c1, %gz = %c1)
             threads(%tx, %ty, %tz) in (%sx = %c32, %sy = %c1, %sz = %c1)
             workgroup(%list : memref<25xi32, #gpu.address_space<workgroup>>) {
    scf.for %t = %c0 to %c4 step %c1 {
      %keys = vector.transfer_read %k[%c0, %c0], %zero {in_bounds = [true, true]} : memref<16x64xf16>, vector<16x64xf16>
      %r = vector.contract {indexing_maps = [#qd, #kd, #qk],
                            iterator_types = ["parallel", "parallel", "reduction"],
                            kind = #vector.kind<add>} %q, %keys, %s
        : vector<16x64xf16>, vector<16x64xf16> into vector<16x16xf32>
    }
    gpu.terminator
  }
  return
}
