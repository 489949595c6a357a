// A plan that leaves the second key tile out: the reference must notice. The number of
// the second segment, which visits nothing, keeps the proof from noticing first.
func.func @f(%q: tensor<1x1x32x16xf32>) -> tensor<1x1x32x16xf32> {
  %init = tensor.empty() : tensor<1x1x32x16xf32>
  %o = sparse_attn.attention mask(#sparse_attn.full)
      plan(<tile = [16, 16], rows = [<"0" to "32", segments = [<full "0" to "1">, <partial "80000000000000000" to "0">]>]>)
      ins(%q, %q, %q : tensor<1x1x32x16xf32>, tensor<1x1x32x16xf32>, tensor<1x1x32x16xf32>)
      outs(%init : tensor<1x1x32x16xf32>) -> tensor<1x1x32x16xf32>
  return %o : tensor<1x1x32x16xf32>
}
