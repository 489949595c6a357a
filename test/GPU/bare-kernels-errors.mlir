// RUN: sparse-attn-opt %s --sparse-attn-bare-kernels --split-input-file --verify-diagnostics

gpu.module @scalar attributes {sparse_attn.kernels} {
  // expected-error@below {{'gpu.func' op takes a 'f32'; only integers, and buffers that start at their pointer and have strides, can be passed as a pointer, sizes and strides}}
  gpu.func @kernel(%n: f32) kernel {
    gpu.return
  }
}

// -----

gpu.module @layout attributes {sparse_attn.kernels} {
  // expected-error@below {{'gpu.func' op takes a 'memref<4x4xf32, strided<[8, 1], offset: 4>>'; only integers, and buffers that start at their pointer}}
  gpu.func @kernel(%a: memref<4x4xf32, strided<[8, 1], offset: 4>>) kernel {
    gpu.return
  }
}

// -----

gpu.module @space attributes {sparse_attn.kernels} {
  gpu.func @kernel(%a: memref<4xf32>) kernel {
    %c0 = arith.constant 0 : index
    // expected-error@below {{'memref.load' op uses a kernel's buffer outside the global address space}}
    %x = memref.load %a[%c0] : memref<4xf32>
    gpu.return
  }
}
