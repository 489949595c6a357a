// What passes find is let through, whatever stands around it.
//
// RUN: sparse-attn-opt %s --sparse-attn-verify-placement | FileCheck %s
//
// CHECK: sparse_attn.attention
func.func @f(%q: tensor<1x2x64x16xf32>, %c: i1) -> tensor<1x2x64x16xf32> {
  %r = scf.if %c -> tensor<1x2x64x16xf32> {
    %i = tensor.empty() : tensor<1x2x64x16xf32>
    %o = sparse_attn.attention mask(#sparse_attn.full) ins(%q, %q, %q : tensor<1x2x64x16xf32>, tensor<1x2x64x16xf32>, tensor<1x2x64x16xf32>) outs(%i : tensor<1x2x64x16xf32>) -> tensor<1x2x64x16xf32>
    scf.yield %o : tensor<1x2x64x16xf32>
  } else {
    scf.yield %q : tensor<1x2x64x16xf32>
  }
  return %r : tensor<1x2x64x16xf32>
}
