// Mistral 7B's sliding window: each token sees itself and the 4095 tokens before
// it. 32 query heads share 8 heads of keys and values.
//
// Used by Mistral 7B v0.1, and with other widths in every other layer of Gemma and
// GPT-OSS. A window of W tokens is left = W - 1: the token itself is one of them.
// At 8192 tokens three quarters of the causal triangle stay.
//
//   sparse-attn-run examples/mistral.mlir --check

#window = #sparse_attn.sliding_window<left = 4095, right = 0>

func.func @mistral(%q: tensor<1x32x8192x128xbf16>,
                   %k: tensor<1x8x8192x128xbf16>,
                   %v: tensor<1x8x8192x128xbf16>)
    -> tensor<1x32x8192x128xbf16> {
  %init = tensor.empty() : tensor<1x32x8192x128xbf16>
  %o = sparse_attn.attention mask(#window)
      ins(%q, %k, %v : tensor<1x32x8192x128xbf16>, tensor<1x8x8192x128xbf16>,
                       tensor<1x8x8192x128xbf16>)
      outs(%init : tensor<1x32x8192x128xbf16>) -> tensor<1x32x8192x128xbf16>
  return %o : tensor<1x32x8192x128xbf16>
}
