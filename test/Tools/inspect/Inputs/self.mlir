// Queries, keys and values are one tensor.
func.func @self(%x: tensor<1x?x?x8xf32>) -> tensor<1x?x?x8xf32> {
  %o = sparse_attn.attention mask(#sparse_attn.causal)
      ins(%x, %x, %x : tensor<1x?x?x8xf32>, tensor<1x?x?x8xf32>,
                       tensor<1x?x?x8xf32>)
      outs(%x : tensor<1x?x?x8xf32>) -> tensor<1x?x?x8xf32>
  return %o : tensor<1x?x?x8xf32>
}
