// One batch, one head and one query tile: the loop that becomes the grid runs
// once, and must be there all the same, with its reads inside.
//
// RUN: sparse-attn-run %s --entry=causal --device=emulator --check=all | FileCheck %s
// RUN: sparse-attn-run %s --entry=global --device=emulator --check=all | FileCheck %s
// CHECK: checked {{[0-9]+}} rows against the fp64 reference: passed

func.func @causal(%q: tensor<1x1x64x64xf16>) -> tensor<1x1x64x64xf16> {
  %init = tensor.empty() : tensor<1x1x64x64xf16>
  %o = sparse_attn.attention mask(#sparse_attn.causal)
      ins(%q, %q, %q : tensor<1x1x64x64xf16>, tensor<1x1x64x64xf16>, tensor<1x1x64x64xf16>)
      outs(%init : tensor<1x1x64x64xf16>) -> tensor<1x1x64x64xf16>
  return %o : tensor<1x1x64x64xf16>
}

func.func @global(%q: tensor<1x1x16x32xbf16>) -> tensor<1x1x16x32xbf16> {
  %init = tensor.empty() : tensor<1x1x16x32xbf16>
  %o = sparse_attn.attention mask(#sparse_attn.longformer<window = 4, global_tokens = [0]>)
      ins(%q, %q, %q : tensor<1x1x16x32xbf16>, tensor<1x1x16x32xbf16>, tensor<1x1x16x32xbf16>)
      outs(%init : tensor<1x1x16x32xbf16>) -> tensor<1x1x16x32xbf16>
  return %o : tensor<1x1x16x32xbf16>
}
