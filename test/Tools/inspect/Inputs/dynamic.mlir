// Query heads and lengths are dynamic; token 10 needs 11 keys.
func.func @dynamic(%q: tensor<1x?x?x8xf32>, %k: tensor<1x2x?x8xf32>)
    -> tensor<1x?x?x8xf32> {
  %o = sparse_attn.attention mask(#sparse_attn.global<tokens = [10]>)
      ins(%q, %k, %k : tensor<1x?x?x8xf32>, tensor<1x2x?x8xf32>,
                       tensor<1x2x?x8xf32>)
      outs(%q : tensor<1x?x?x8xf32>) -> tensor<1x?x?x8xf32>
  return %o : tensor<1x?x?x8xf32>
}
