func.func @causal(%q: tensor<1x1x?x2xf32>, %k: tensor<1x1x?x2xf32>, %v: tensor<1x1x?x2xf32>)
    -> tensor<1x1x?x2xf32> {
  %c2 = arith.constant 2 : index
  %n = tensor.dim %q, %c2 : tensor<1x1x?x2xf32>
  %init = tensor.empty(%n) : tensor<1x1x?x2xf32>
  %o = sparse_attn.attention mask(#sparse_attn.causal)
      ins(%q, %k, %v : tensor<1x1x?x2xf32>, tensor<1x1x?x2xf32>, tensor<1x1x?x2xf32>)
      outs(%init : tensor<1x1x?x2xf32>) -> tensor<1x1x?x2xf32>
  return %o : tensor<1x1x?x2xf32>
}
