// Masks are sets, and compose as sets: here causal, and within a window of 512 or
// one of 128 instruction tokens at the front or a multiple of 64 positions back,
// but never one of the two tokens 7 and 300, say padding or redacted ones.
//
// The second result is the log-sum-exp of each row's scores: by it, results over
// different keys can be merged, and a backward pass needs it.
//
//   sparse-attn-run examples/composition.mlir --check

#near = #sparse_attn.sliding_window<left = 511, right = 0>
#front = #sparse_attn.prefix<length = 128>
#seen = #sparse_attn.union<#near, #front, #sparse_attn.strided<stride = 64>>
#hidden = #sparse_attn.global<tokens = [7, 300], direction = columns>
#shown = #sparse_attn.complement<#hidden>
#mask = #sparse_attn.intersection<#sparse_attn.causal, #seen, #shown>

func.func @composition(%q: tensor<1x8x2048x64xf32>,
                       %k: tensor<1x2x2048x64xf32>,
                       %v: tensor<1x2x2048x64xf32>)
    -> (tensor<1x8x2048x64xf32>, tensor<1x8x2048xf32>) {
  %init = tensor.empty() : tensor<1x8x2048x64xf32>
  %init_lse = tensor.empty() : tensor<1x8x2048xf32>
  %r:2 = sparse_attn.attention mask(#mask)
      ins(%q, %k, %v : tensor<1x8x2048x64xf32>, tensor<1x2x2048x64xf32>,
                       tensor<1x2x2048x64xf32>)
      outs(%init, %init_lse : tensor<1x8x2048x64xf32>, tensor<1x8x2048xf32>)
      -> tensor<1x8x2048x64xf32>, tensor<1x8x2048xf32>
  return %r#0, %r#1 : tensor<1x8x2048x64xf32>, tensor<1x8x2048xf32>
}
