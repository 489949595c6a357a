// Dilated window (Longformer, Beltagy et al. 2020, and LongNet): 256 keys on either
// side, two apart, so that the same work looks twice as far.
//
// Longformer dilates some heads of its upper layers. Alone a dilated window never
// connects even with odd positions, at any depth; token 0, global, does. Ask
// `sparse-attn-inspect examples/dilated.mlir --layers=4`.
//
//   sparse-attn-run examples/dilated.mlir --check

#window = #sparse_attn.sliding_window<left = 256, right = 256, dilation = 2>
#dilated = #sparse_attn.union<#window, #sparse_attn.global<tokens = [0]>>

func.func @dilated(%q: tensor<1x12x4096x64xf32>,
                   %k: tensor<1x12x4096x64xf32>,
                   %v: tensor<1x12x4096x64xf32>)
    -> tensor<1x12x4096x64xf32> {
  %init = tensor.empty() : tensor<1x12x4096x64xf32>
  %o = sparse_attn.attention mask(#dilated)
      ins(%q, %k, %v : tensor<1x12x4096x64xf32>, tensor<1x12x4096x64xf32>,
                       tensor<1x12x4096x64xf32>)
      outs(%init : tensor<1x12x4096x64xf32>) -> tensor<1x12x4096x64xf32>
  return %o : tensor<1x12x4096x64xf32>
}
