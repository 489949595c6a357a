// RUN: sparse-attn-opt %s --split-input-file --verify-diagnostics

func.func @element(%m: memref<64x64xi32>) {
  // expected-error@below {{'sparse_attn_gpu.tensor_map' op describes buffers of f16, bf16 or f32, got 'memref<64x64xi32>'}}
  %map = sparse_attn_gpu.tensor_map %m box [64, 64] : memref<64x64xi32>
  return
}

// -----

func.func @no_dimension(%m: memref<f32>) {
  // expected-error@below {{'sparse_attn_gpu.tensor_map' op describes buffers of 1 to 5 dimensions, got 'memref<f32>'}}
  %map = sparse_attn_gpu.tensor_map %m box [] : memref<f32>
  return
}

// -----

func.func @six_dimensions(%m: memref<1x1x1x1x64x64xf16>) {
  // expected-error@below {{'sparse_attn_gpu.tensor_map' op describes buffers of 1 to 5 dimensions, got 'memref<1x1x1x1x64x64xf16>'}}
  %map = sparse_attn_gpu.tensor_map %m box [1, 1, 1, 1, 64, 64] : memref<1x1x1x1x64x64xf16>
  return
}

// -----

func.func @offset(%m: memref<64x64xf16, strided<[64, 1], offset: ?>>) {
  // expected-error@below {{'sparse_attn_gpu.tensor_map' op describes buffers that start at their pointer and have the elements of a row side by side, got 'memref<64x64xf16, strided<[64, 1], offset: ?>>'}}
  %map = sparse_attn_gpu.tensor_map %m box [64, 64] : memref<64x64xf16, strided<[64, 1], offset: ?>>
  return
}

// -----

func.func @columns_apart(%m: memref<64x64xf16, strided<[128, 2]>>) {
  // expected-error@below {{'sparse_attn_gpu.tensor_map' op describes buffers that start at their pointer and have the elements of a row side by side, got 'memref<64x64xf16, strided<[128, 2]>>'}}
  %map = sparse_attn_gpu.tensor_map %m box [64, 64] : memref<64x64xf16, strided<[128, 2]>>
  return
}

// -----

func.func @short_box(%m: memref<64x64xf16>) {
  // expected-error@below {{'sparse_attn_gpu.tensor_map' op has a box of [64]; it has a size from 1 to 256 for each of 2 dimensions}}
  %map = sparse_attn_gpu.tensor_map %m box [64] : memref<64x64xf16>
  return
}

// -----

func.func @large_box(%m: memref<512x64xf16>) {
  // expected-error@below {{'sparse_attn_gpu.tensor_map' op has a box of [512, 64]; it has a size from 1 to 256 for each of 2 dimensions}}
  %map = sparse_attn_gpu.tensor_map %m box [512, 64] : memref<512x64xf16>
  return
}

// -----

func.func @empty_box(%m: memref<512x64xf16>) {
  // expected-error@below {{'sparse_attn_gpu.tensor_map' op has a box of [0, 64]; it has a size from 1 to 256 for each of 2 dimensions}}
  %map = sparse_attn_gpu.tensor_map %m box [0, 64] : memref<512x64xf16>
  return
}

// -----

func.func @swizzle(%m: memref<64x64xf16>) {
  // expected-error@below {{'sparse_attn_gpu.tensor_map' op has a swizzle of 96 bytes; there are 0, 32, 64 and 128}}
  %map = sparse_attn_gpu.tensor_map %m box [64, 64] swizzle 96 : memref<64x64xf16>
  return
}

// -----

func.func @narrow(%m: memref<64x64xf16>) {
  // expected-error@below {{'sparse_attn_gpu.tensor_map' op has a box with rows of 24 bytes; they are multiples of 16, and no longer than the swizzle}}
  %map = sparse_attn_gpu.tensor_map %m box [64, 12] : memref<64x64xf16>
  return
}

// -----

func.func @wide(%m: memref<64x128xf16>) {
  // expected-error@below {{'sparse_attn_gpu.tensor_map' op has a box with rows of 256 bytes; they are multiples of 16, and no longer than the swizzle}}
  %map = sparse_attn_gpu.tensor_map %m box [64, 128] swizzle 128 : memref<64x128xf16>
  return
}
