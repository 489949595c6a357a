// Dense attention, every token with every other: what the sparse patterns are
// measured against, and a pattern like any other here.
//
// Used by BERT and every other encoder of short texts; the sizes are those of
// BERT base.
//
//   sparse-attn-run examples/dense.mlir --check

func.func @dense(%q: tensor<1x12x512x64xf32>,
                 %k: tensor<1x12x512x64xf32>,
                 %v: tensor<1x12x512x64xf32>)
    -> tensor<1x12x512x64xf32> {
  %init = tensor.empty() : tensor<1x12x512x64xf32>
  %o = sparse_attn.attention mask(#sparse_attn.full)
      ins(%q, %k, %v : tensor<1x12x512x64xf32>, tensor<1x12x512x64xf32>,
                       tensor<1x12x512x64xf32>)
      outs(%init : tensor<1x12x512x64xf32>) -> tensor<1x12x512x64xf32>
  return %o : tensor<1x12x512x64xf32>
}
