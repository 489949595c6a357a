// Two functions of f16, one attention after another in the first.

!t = tensor<1x1x24x16xf16>

func.func @chain(%x: !t, %init: !t) -> !t {
  %y = sparse_attn.attention
      mask(#sparse_attn.sliding_window<left = 7, right = 0>) scale(0.3)
      ins(%x, %x, %x : !t, !t, !t) outs(%init : !t) -> !t
  %z = sparse_attn.attention
      mask(#sparse_attn.union<#sparse_attn.chunked<size = 5>,
                              #sparse_attn.strided<stride = 4>>)
      ins(%y, %x, %x : !t, !t, !t) outs(%init : !t) -> !t
  return %z : !t
}

func.func @full(%x: !t, %init: !t) -> !t {
  %y = sparse_attn.attention mask(#sparse_attn.full)
      ins(%x, %x, %x : !t, !t, !t) outs(%init : !t) -> !t
  return %y : !t
}
