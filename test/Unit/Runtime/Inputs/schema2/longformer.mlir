// A heavy row: three launches and a workspace.
func.func @longformer(%q: tensor<1x1x?x16xf16>, %k: tensor<1x1x?x16xf16>,
                      %v: tensor<1x1x?x16xf16>, %init: tensor<1x1x?x16xf16>)
    -> tensor<1x1x?x16xf16> {
  %o = sparse_attn.attention
      mask(#sparse_attn.longformer<window = 32, global_tokens = [0]>)
      ins(%q, %k, %v : tensor<1x1x?x16xf16>, tensor<1x1x?x16xf16>,
                       tensor<1x1x?x16xf16>)
      outs(%init : tensor<1x1x?x16xf16>) -> tensor<1x1x?x16xf16>
  return %o : tensor<1x1x?x16xf16>
}
