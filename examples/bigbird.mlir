// BigBird (Zaheer et al. 2020), base size, internal transformer construction: in
// blocks of 64 tokens each block sees its neighbours (a window of 3 blocks), the
// first and the last block (which see everything themselves), and 3 blocks drawn
// at random for each head.
//
// Used for long documents and genomics. The draw is a stateless function of seed,
// head and block, so that it needs no table at any length (docs/Patterns.md).
//
//   sparse-attn-run examples/bigbird.mlir --check

#bigbird = #sparse_attn.bigbird<block = 64, window_blocks = 3, random_blocks = 3, seed = 0>

func.func @bigbird(%q: tensor<1x12x4096x64xf32>,
                   %k: tensor<1x12x4096x64xf32>,
                   %v: tensor<1x12x4096x64xf32>)
    -> tensor<1x12x4096x64xf32> {
  %init = tensor.empty() : tensor<1x12x4096x64xf32>
  %o = sparse_attn.attention mask(#bigbird)
      ins(%q, %k, %v : tensor<1x12x4096x64xf32>, tensor<1x12x4096x64xf32>,
                       tensor<1x12x4096x64xf32>)
      outs(%init : tensor<1x12x4096x64xf32>) -> tensor<1x12x4096x64xf32>
  return %o : tensor<1x12x4096x64xf32>
}
