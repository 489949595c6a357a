// Tiles on their way into shared memory, and there.
//
// RUN: sparse-attn-opt %s | sparse-attn-opt | FileCheck %s

#shared = #gpu.address_space<workgroup>

// CHECK-LABEL: func.func @stage
// CHECK:         sparse_attn.stage_tile %{{.*}} to %{{.*}}[%{{.*}}] rows 64
// CHECK-SAME:      : memref<?x128xbf16, strided<[128, 1], offset: ?>, 1>, memref<?xi8, #gpu.address_space<workgroup>>
// CHECK:         sparse_attn.staged_tile %{{.*}}[%{{.*}}]
// CHECK-SAME:      : memref<?xi8, #gpu.address_space<workgroup>> -> vector<64x128xbf16>
func.func @stage(%keys: memref<?x128xbf16, strided<[128, 1], offset: ?>, 1>,
                 %memory: memref<?xi8, #shared>, %offset: index) -> vector<64x128xbf16> {
  sparse_attn.stage_tile %keys to %memory[%offset] rows 64
    : memref<?x128xbf16, strided<[128, 1], offset: ?>, 1>, memref<?xi8, #shared>
  %tile = sparse_attn.staged_tile %memory[%offset] : memref<?xi8, #shared> -> vector<64x128xbf16>
  return %tile : vector<64x128xbf16>
}

// One reads, the other reads and writes: the first goes where nothing uses it, the
// second stays.
//
// RUN: sparse-attn-opt %s --canonicalize | FileCheck %s --check-prefix=EFFECTS
//
// EFFECTS-LABEL: func.func @unused
// EFFECTS-NEXT:    sparse_attn.stage_tile
// EFFECTS-NEXT:    return
func.func @unused(%keys: memref<64x16xf16, 1>, %memory: memref<?xi8, #shared>, %offset: index) {
  sparse_attn.stage_tile %keys to %memory[%offset] rows 64
    : memref<64x16xf16, 1>, memref<?xi8, #shared>
  %tile = sparse_attn.staged_tile %memory[%offset] : memref<?xi8, #shared> -> vector<64x16xf16>
  return
}
