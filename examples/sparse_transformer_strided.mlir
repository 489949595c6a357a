// Sparse Transformer, strided (Child et al. 2019): each token sees the last
// `stride` tokens and every `stride`-th one before them. With the stride at one row
// of an image, that is its own row so far and its own column above.
//
// Made for images and audio, whose structure is periodic. Here an image of
// 32 x 32 x 3 values in raster order, and a stride of one row, 32 x 3.
//
//   sparse-attn-run examples/sparse_transformer_strided.mlir --check

#strided = #sparse_attn.sparse_transformer_strided<stride = 96>

func.func @sparse_transformer_strided(%q: tensor<1x4x3072x64xf32>,
                                      %k: tensor<1x4x3072x64xf32>,
                                      %v: tensor<1x4x3072x64xf32>)
    -> tensor<1x4x3072x64xf32> {
  %init = tensor.empty() : tensor<1x4x3072x64xf32>
  %o = sparse_attn.attention mask(#strided)
      ins(%q, %k, %v : tensor<1x4x3072x64xf32>, tensor<1x4x3072x64xf32>,
                       tensor<1x4x3072x64xf32>)
      outs(%init : tensor<1x4x3072x64xf32>) -> tensor<1x4x3072x64xf32>
  return %o : tensor<1x4x3072x64xf32>
}
