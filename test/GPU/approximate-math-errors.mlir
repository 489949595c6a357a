// Kernels have no library: what would call one is refused where it stands.
//
// RUN: sparse-attn-opt %s --sparse-attn-approximate-math -split-input-file -verify-diagnostics

gpu.module @kernels {
  func.func @sine(%x: f32) -> f32 {
    // expected-error@below {{'math.sin' of 'f32' has no instruction in kernels; of f32 they have math.exp, math.exp2, math.log, math.log2, math.tanh, math.absf and math.fma}}
    %y = math.sin %x : f32
    return %y : f32
  }
}

// -----

gpu.module @kernels {
  func.func @double(%x: f64) -> f64 {
    // expected-error@below {{'math.exp2' of 'f64' has no instruction in kernels}}
    %y = math.exp2 %x : f64
    return %y : f64
  }
}
