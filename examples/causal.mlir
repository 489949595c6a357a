// Causal attention: a token sees itself and all before it, half of all pairs.
//
// Used by every autoregressive model; here the sizes of GPT-2 small at its full
// context. Tiles above the diagonal are never visited, and only those that the
// diagonal crosses pay for a mask.
//
//   sparse-attn-run examples/causal.mlir --check

func.func @causal(%q: tensor<1x12x1024x64xf16>,
                  %k: tensor<1x12x1024x64xf16>,
                  %v: tensor<1x12x1024x64xf16>)
    -> tensor<1x12x1024x64xf16> {
  %init = tensor.empty() : tensor<1x12x1024x64xf16>
  %o = sparse_attn.attention mask(#sparse_attn.causal)
      ins(%q, %k, %v : tensor<1x12x1024x64xf16>, tensor<1x12x1024x64xf16>,
                       tensor<1x12x1024x64xf16>)
      outs(%init : tensor<1x12x1024x64xf16>) -> tensor<1x12x1024x64xf16>
  return %o : tensor<1x12x1024x64xf16>
}
