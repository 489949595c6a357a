// Tensors at a function's boundary may have rows anywhere, and so may the views of
// them; what is allocated for a result becomes an argument.
//
// RUN: sparse-attn-opt %s --sparse-attn-dynamic-strides --split-input-file | FileCheck %s
// RUN: sparse-attn-opt %s --sparse-attn-dynamic-strides --split-input-file --verify-diagnostics -o /dev/null

// CHECK-LABEL: func.func @views
// CHECK-SAME:    (%[[Q:.*]]: memref<1x12x?x64xbf16, strided<[?, ?, ?, 1]>>, %[[N:.*]]: memref<?xi32>,
// CHECK-SAME:     %[[O:.*]]: memref<1x12x?x64xbf16, strided<[?, ?, ?, 1]>>, %[[L:.*]]: memref<1x12x?xf32, strided<[?, ?, 1]>>)
// CHECK-SAME:    -> (memref<1x12x?x64xbf16, strided<[?, ?, ?, 1]>>, memref<1x12x?xf32, strided<[?, ?, 1]>>)
// CHECK:         memref.subview %[[Q]]{{.*}} to memref<128x64xbf16, strided<[?, 1], offset: ?>>
// CHECK:         vector.transfer_read {{.*}} : memref<128x64xbf16, strided<[?, 1], offset: ?>>, vector<128x64xbf16>
// CHECK:         %[[ANY:.*]] = memref.cast %[[O]] : {{.*}} to memref<?x12x?x64xbf16, strided<[?, ?, ?, 1]>>
// CHECK:         memref.subview %[[ANY]]{{.*}} to memref<128x64xbf16, strided<[?, 1], offset: ?>>
//
// Scratch memory is dense.
//
// CHECK:         memref.alloc() : memref<64x16xf32>
// CHECK-NOT:     memref.alloc
// CHECK:         return %[[O]], %[[L]]
func.func @views(%q: memref<1x12x?x64xbf16>, %n: memref<?xi32>) -> (memref<1x12x?x64xbf16>, memref<1x12x?xf32>) {
  %c0 = arith.constant 0 : index
  %c2 = arith.constant 2 : index
  %zero = arith.constant 0.0 : bf16
  %rows = memref.dim %q, %c2 : memref<1x12x?x64xbf16>
  %o = memref.alloc(%rows) : memref<1x12x?x64xbf16>
  %l = memref.alloc(%rows) : memref<1x12x?xf32>
  %tile = memref.subview %q[0, 3, 128, 0] [1, 1, 128, 64] [1, 1, 1, 1]
      : memref<1x12x?x64xbf16> to memref<128x64xbf16, strided<[64, 1], offset: ?>>
  %x = vector.transfer_read %tile[%c0, %c0], %zero {in_bounds = [true, true]}
      : memref<128x64xbf16, strided<[64, 1], offset: ?>>, vector<128x64xbf16>
  %any = memref.cast %o : memref<1x12x?x64xbf16> to memref<?x12x?x64xbf16>
  %place = memref.subview %any[0, 3, 128, 0] [1, 1, 128, 64] [1, 1, 1, 1]
      : memref<?x12x?x64xbf16> to memref<128x64xbf16, strided<[64, 1], offset: ?>>
  vector.transfer_write %x, %place[%c0, %c0] {in_bounds = [true, true]}
      : vector<128x64xbf16>, memref<128x64xbf16, strided<[64, 1], offset: ?>>
  %scratch = memref.alloc() : memref<64x16xf32>
  memref.dealloc %scratch : memref<64x16xf32>
  return %o, %l : memref<1x12x?x64xbf16>, memref<1x12x?xf32>
}

// -----

// What is flattened must be dense, and its neighbour need not be.
//
// CHECK-LABEL: func.func @flattened
// CHECK-SAME:    (%{{.*}}: memref<4x64xf32>, %{{.*}}: memref<4x64xf32, strided<[?, 1]>>)
func.func @flattened(%a: memref<4x64xf32>, %b: memref<4x64xf32>) {
  // expected-remark@below {{needs argument 0 of its function dense and row-major, so callers may pass no other; compute this outside the function}}
  %flat = memref.collapse_shape %a [[0, 1]] : memref<4x64xf32> into memref<256xf32>
  memref.copy %a, %b : memref<4x64xf32> to memref<4x64xf32>
  return
}

// -----

// Callers pass what they have, and so do those that they call.
//
// CHECK-LABEL: func.func private @callee(%{{.*}}: memref<4x64xf32>)
func.func private @callee(%a: memref<4x64xf32>) {
  return
}

// CHECK-LABEL: func.func @caller(%{{.*}}: memref<4x64xf32>)
func.func @caller(%a: memref<4x64xf32>) {
  // expected-remark@below {{needs argument 0 of its function dense and row-major}}
  call @callee(%a) : (memref<4x64xf32>) -> ()
  return
}

// What is still a linalg op becomes loops, which read anything.
//
// CHECK-LABEL: func.func @linalg
// CHECK-SAME:    memref<4x8xf32, strided<[?, 1]>>
// CHECK:         linalg.fill
func.func @linalg(%a: memref<4x8xf32>, %x: f32) {
  linalg.fill ins(%x : f32) outs(%a : memref<4x8xf32>)
  return
}

// -----

// What is said of arguments stays said of them.
//
// CHECK-LABEL: func.func @attributes
// CHECK-SAME:    (%{{.*}}: memref<4x64xf32, strided<[?, 1]>> {my.in}, %{{.*}}: memref<4x64xf32, strided<[?, 1]>>)
// CHECK-SAME:    -> (memref<4x64xf32, strided<[?, 1]>> {my.out})
func.func @attributes(%a: memref<4x64xf32> {my.in}) -> (memref<4x64xf32> {my.out}) {
  %o = memref.alloc() : memref<4x64xf32>
  memref.copy %a, %o : memref<4x64xf32> to memref<4x64xf32>
  return %o : memref<4x64xf32>
}
