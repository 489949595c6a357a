// Sparse Transformer, fixed (Child et al. 2019): each token sees the tokens so far
// of its own span of `stride`, and the last `columns` positions of every span
// before it, which carry a summary of their span.
//
// Made for text, whose structure is not periodic; GPT-3 alternates layers like it
// with dense ones. Sizes of the paper's character model on enwik8.
//
//   sparse-attn-run examples/sparse_transformer_fixed.mlir --check

#fixed = #sparse_attn.sparse_transformer_fixed<stride = 128, columns = 32>

func.func @sparse_transformer_fixed(%q: tensor<1x8x12288x64xf16>,
                                    %k: tensor<1x8x12288x64xf16>,
                                    %v: tensor<1x8x12288x64xf16>)
    -> tensor<1x8x12288x64xf16> {
  %init = tensor.empty() : tensor<1x8x12288x64xf16>
  %o = sparse_attn.attention mask(#fixed)
      ins(%q, %k, %v : tensor<1x8x12288x64xf16>, tensor<1x8x12288x64xf16>,
                       tensor<1x8x12288x64xf16>)
      outs(%init : tensor<1x8x12288x64xf16>) -> tensor<1x8x12288x64xf16>
  return %o : tensor<1x8x12288x64xf16>
}
