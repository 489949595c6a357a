// Longformer (Beltagy et al. 2020), base size as in Hugging Face Transformers:
// each token sees the 256 tokens on either side of it, and token 0 (the
// classification token) sees and is seen by all. 12% of the pairs stay, and two
// layers connect everything to everything.
//
// Used for classification, question answering and retrieval on long documents.
// Without the global token the same depth could not relate distant tokens.
//
//   sparse-attn-run examples/longformer.mlir --check

#longformer = #sparse_attn.longformer<window = 512, global_tokens = [0]>

func.func @longformer(%q: tensor<1x12x4096x64xf32>,
                      %k: tensor<1x12x4096x64xf32>,
                      %v: tensor<1x12x4096x64xf32>)
    -> tensor<1x12x4096x64xf32> {
  %init = tensor.empty() : tensor<1x12x4096x64xf32>
  %o = sparse_attn.attention mask(#longformer) scale(1.250000e-01)
      ins(%q, %k, %v : tensor<1x12x4096x64xf32>, tensor<1x12x4096x64xf32>,
                       tensor<1x12x4096x64xf32>)
      outs(%init : tensor<1x12x4096x64xf32>) -> tensor<1x12x4096x64xf32>
  return %o : tensor<1x12x4096x64xf32>
}
