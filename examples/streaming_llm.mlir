// StreamingLLM (Xiao et al. 2023): a causal window of 1024 tokens, and the first 4
// tokens as attention sinks that are never dropped from the cache.
//
// Used to run chat models over unbounded streams in constant memory: models give
// the first tokens weight that has nowhere to go when the window leaves them.
// Sizes of Llama 2 7B.
//
//   sparse-attn-run examples/streaming_llm.mlir --check

#streaming = #sparse_attn.streaming<sinks = 4, window = 1024>

func.func @streaming_llm(%q: tensor<1x32x4096x128xf16>,
                         %k: tensor<1x32x4096x128xf16>,
                         %v: tensor<1x32x4096x128xf16>)
    -> tensor<1x32x4096x128xf16> {
  %init = tensor.empty() : tensor<1x32x4096x128xf16>
  %o = sparse_attn.attention mask(#streaming)
      ins(%q, %k, %v : tensor<1x32x4096x128xf16>, tensor<1x32x4096x128xf16>,
                       tensor<1x32x4096x128xf16>)
      outs(%init : tensor<1x32x4096x128xf16>) -> tensor<1x32x4096x128xf16>
  return %o : tensor<1x32x4096x128xf16>
}
