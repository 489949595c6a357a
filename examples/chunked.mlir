// Chunked causal attention of Llama 4: the sequence is cut into chunks of 8192
// tokens, and a token sees those of its own chunk up to itself.
//
// Used in three of four layers of Llama 4 (the fourth sees everything), with 40
// query heads over 8 heads of keys and values. Just past one chunk, so that both
// the boundary and the second chunk are there.
//
//   sparse-attn-run examples/chunked.mlir --check

#chunked = #sparse_attn.intersection<#sparse_attn.causal, #sparse_attn.chunked<size = 8192>>

func.func @chunked(%q: tensor<1x40x9216x128xbf16>,
                   %k: tensor<1x8x9216x128xbf16>,
                   %v: tensor<1x8x9216x128xbf16>)
    -> tensor<1x40x9216x128xbf16> {
  %init = tensor.empty() : tensor<1x40x9216x128xbf16>
  %o = sparse_attn.attention mask(#chunked)
      ins(%q, %k, %v : tensor<1x40x9216x128xbf16>, tensor<1x8x9216x128xbf16>,
                       tensor<1x8x9216x128xbf16>)
      outs(%init : tensor<1x40x9216x128xbf16>) -> tensor<1x40x9216x128xbf16>
  return %o : tensor<1x40x9216x128xbf16>
}
