// RUN: sparse-attn-opt %s --sparse-attn-to-dense-linalg --verify-diagnostics

// The intermediate tensors have no place among buffers.
func.func @memrefs(%q: memref<1x1x4x8xf32>, %o: memref<1x1x4x8xf32>) {
  // expected-error@below {{on memrefs cannot be decomposed; lower it before bufferization}}
  sparse_attn.attention mask(#sparse_attn.full)
    ins(%q, %q, %q : memref<1x1x4x8xf32>, memref<1x1x4x8xf32>, memref<1x1x4x8xf32>)
    outs(%o : memref<1x1x4x8xf32>)
  return
}
