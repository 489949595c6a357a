// RUN: sparse-attn-opt %s --sparse-attn-dynamic-strides | FileCheck %s

func.func @f(%q: memref<1x12x?x64xbf16>) -> memref<1x12x?x64xbf16> {
  %c0 = arith.constant 0 : index
  %c2 = arith.constant 2 : index
  %zero = arith.constant 0.0 : bf16
  %rows = memref.dim %q, %c2 : memref<1x12x?x64xbf16>
  %o = memref.alloc(%rows) : memref<1x12x?x64xbf16>
  %source = memref.subview %q[0, 3, 128, 0] [1, 1, 128, 64] [1, 1, 1, 1]
      : memref<1x12x?x64xbf16> to memref<128x64xbf16, strided<[64, 1], offset: ?>>
  %tile = vector.transfer_read %source[%c0, %c0], %zero {in_bounds = [true, true]}
      : memref<128x64xbf16, strided<[64, 1], offset: ?>>, vector<128x64xbf16>
  %target = memref.subview %o[0, 3, 128, 0] [1, 1, 128, 64] [1, 1, 1, 1]
      : memref<1x12x?x64xbf16> to memref<128x64xbf16, strided<[64, 1], offset: ?>>
  vector.transfer_write %tile, %target[%c0, %c0] {in_bounds = [true, true]}
      : vector<128x64xbf16>, memref<128x64xbf16, strided<[64, 1], offset: ?>>
  return %o : memref<1x12x?x64xbf16>
}

// CHECK: func.func @f(%[[Q:.*]]: memref<1x12x?x64xbf16, strided<[?, ?, ?, 1]>>, %[[O:.*]]: memref<1x12x?x64xbf16, strided<[?, ?, ?, 1]>>) -> memref<1x12x?x64xbf16, strided<[?, ?, ?, 1]>> {
// CHECK:   memref.subview %[[Q]]{{.*}} to memref<128x64xbf16, strided<[?, 1], offset: ?>>
// CHECK:   memref.subview %[[O]]{{.*}} to memref<128x64xbf16, strided<[?, 1], offset: ?>>
// CHECK:   return %[[O]]
