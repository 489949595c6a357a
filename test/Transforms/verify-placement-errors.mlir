// Neither pipeline leaves attention out without a word.
//
// RUN: sparse-attn-opt %s --sparse-attn-verify-placement --split-input-file --verify-diagnostics
// RUN: sparse-attn-opt %s --sparse-attn-cpu-pipeline --split-input-file --verify-diagnostics
// RUN: sparse-attn-opt %s --sparse-attn-cpu-pipeline="dense=true" --split-input-file --verify-diagnostics
// RUN: sparse-attn-opt %s --sparse-attn-nvvm-pipeline --split-input-file --verify-diagnostics
//
// The way out that the error names.
// RUN: sed '/^[/][/] --/,$d' %s > %t.mlir
// RUN: sparse-attn-opt %t.mlir --pass-pipeline="builtin.module(builtin.module(sparse-attn-nvvm-pipeline))" | FileCheck %s
// CHECK: gpu.launch_func @f_kernels::@f_0
// CHECK: gpu.binary @f_kernels

module {
module @inner {
  func.func @f(%q: tensor<1x2x64x16xf32>) -> tensor<1x2x64x16xf32> {
    %i = tensor.empty() : tensor<1x2x64x16xf32>
    // expected-error@below {{'sparse_attn.attention' op stands in no func.func of the module that is compiled, where passes look for it; move it into one, or compile the inner module that has its function}}
    %o = sparse_attn.attention mask(#sparse_attn.full) ins(%q, %q, %q : tensor<1x2x64x16xf32>, tensor<1x2x64x16xf32>, tensor<1x2x64x16xf32>) outs(%i : tensor<1x2x64x16xf32>) -> tensor<1x2x64x16xf32>
    return %o : tensor<1x2x64x16xf32>
  }
}
}

// -----

gpu.module @kernels {
  gpu.func @f(%q: tensor<1x2x64x16xf32>) {
    %i = tensor.empty() : tensor<1x2x64x16xf32>
    // expected-error@below {{stands in no func.func of the module that is compiled}}
    %o = sparse_attn.attention mask(#sparse_attn.full) ins(%q, %q, %q : tensor<1x2x64x16xf32>, tensor<1x2x64x16xf32>, tensor<1x2x64x16xf32>) outs(%i : tensor<1x2x64x16xf32>) -> tensor<1x2x64x16xf32>
    gpu.return
  }
}
