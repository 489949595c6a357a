// How bulk copies find tiles in a buffer.
//
// RUN: sparse-attn-opt %s | sparse-attn-opt | FileCheck %s

// CHECK-LABEL: func.func @maps
// CHECK:         %[[MAP:.*]] = sparse_attn_gpu.tensor_map %{{.*}} box [1, 64, 64] swizzle 128 : memref<?x?x64xbf16, strided<[?, ?, 1]>>
// CHECK:         sparse_attn_gpu.tensor_map %{{.*}} box [256] : memref<1024xf32>
// CHECK:         return %[[MAP]] : !llvm.ptr
func.func @maps(%keys: memref<?x?x64xbf16, strided<[?, ?, 1]>>, %row: memref<1024xf32>) -> !llvm.ptr {
  %map = sparse_attn_gpu.tensor_map %keys box [1, 64, 64] swizzle 128
    : memref<?x?x64xbf16, strided<[?, ?, 1]>>
  %flat = sparse_attn_gpu.tensor_map %row box [256] : memref<1024xf32>
  return %map : !llvm.ptr
}
