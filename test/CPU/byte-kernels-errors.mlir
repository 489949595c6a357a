// RUN: sparse-attn-opt %s --sparse-attn-byte-kernels --split-input-file --verify-diagnostics

// expected-error@+1 {{takes a 'memref<4xf32, strided<[2]>>'; only dense buffers of integers and floats are bytes}}
func.func private @strided(%x: memref<4xf32, strided<[2]>>, %number: index) attributes {sparse_attn.kernel} {
  return
}

// -----

// expected-error@+1 {{takes a 'f32'; only dense buffers of integers and floats are bytes}}
func.func private @scalar(%x: f32, %number: index) attributes {sparse_attn.kernel} {
  return
}
