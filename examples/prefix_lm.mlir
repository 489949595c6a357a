// Prefix language model (Raffel et al. 2020): the first 512 tokens, the prompt, see
// one another in both directions; what is generated after them is causal.
//
// Used by T5's prefix-LM variant, UL2, PaliGemma (the prefix being the image and
// the question) and GLM.
//
//   sparse-attn-run examples/prefix_lm.mlir --check

#prefix_lm = #sparse_attn.prefix_lm<length = 512>

func.func @prefix_lm(%q: tensor<2x12x1024x64xbf16>,
                     %k: tensor<2x12x1024x64xbf16>,
                     %v: tensor<2x12x1024x64xbf16>)
    -> tensor<2x12x1024x64xbf16> {
  %init = tensor.empty() : tensor<2x12x1024x64xbf16>
  %o = sparse_attn.attention mask(#prefix_lm)
      ins(%q, %k, %v : tensor<2x12x1024x64xbf16>, tensor<2x12x1024x64xbf16>,
                       tensor<2x12x1024x64xbf16>)
      outs(%init : tensor<2x12x1024x64xbf16>) -> tensor<2x12x1024x64xbf16>
  return %o : tensor<2x12x1024x64xbf16>
}
