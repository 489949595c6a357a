// One token against a cache of keys and values, sizes known at run time only. The
// query stands at the end of the keys (position i = row + Sk - Sq), so that the
// same function serves the prompt (Sq = Sk) and each token after it (Sq = 1).
//
// Used by every server of language models. Sizes and window are those of Mistral
// 7B; here the cache holds twice the window, and its older half is never read.
//
//   sparse-attn-run examples/decode.mlir --shape=Sq=1 --shape=Sk=8192 --check

#window = #sparse_attn.sliding_window<left = 4095, right = 0>

func.func @decode(%q: tensor<1x32x?x128xf16>,
                  %k: tensor<1x8x?x128xf16>,
                  %v: tensor<1x8x?x128xf16>)
    -> tensor<1x32x?x128xf16> {
  %c2 = arith.constant 2 : index
  %sq = tensor.dim %q, %c2 : tensor<1x32x?x128xf16>
  %init = tensor.empty(%sq) : tensor<1x32x?x128xf16>
  %o = sparse_attn.attention mask(#window)
      ins(%q, %k, %v : tensor<1x32x?x128xf16>, tensor<1x8x?x128xf16>,
                       tensor<1x8x?x128xf16>)
      outs(%init : tensor<1x32x?x128xf16>) -> tensor<1x32x?x128xf16>
  return %o : tensor<1x32x?x128xf16>
}
