// Attention of published models, with small windows: caches with lengths, padding on
// the left, positions of queries and of the first slot. Heads and head sizes are the
// models' ratios.

!lengths = tensor<?xi32>
!positions = tensor<?xi64>

// ModernBERT: local layers of an encoder, half a window to either side.
!modernbert_q = tensor<?x4x?x64xbf16>
!modernbert_kv = tensor<?x4x?x64xbf16>

func.func @modernbert(%q: !modernbert_q, %k: !modernbert_kv, %v: !modernbert_kv, %end: !lengths, %begin: !lengths, %row: !positions, %slot: !positions) -> !modernbert_q {
  %c0 = arith.constant 0 : index
  %c2 = arith.constant 2 : index
  %b = tensor.dim %q, %c0 : !modernbert_q
  %sq = tensor.dim %q, %c2 : !modernbert_q
  %init = tensor.empty(%b, %sq) : !modernbert_q
  %o = sparse_attn.attention mask(#sparse_attn.sliding_window<left = 8, right = 8>)
      ins(%q, %k, %v : !modernbert_q, !modernbert_kv, !modernbert_kv)
      data(key_lengths = %end : !lengths, key_begin = %begin : !lengths, query_position = %row : !positions, key_position = %slot : !positions)
      outs(%init : !modernbert_q) -> !modernbert_q
  return %o : !modernbert_q
}

// Mistral 7B: four query heads a key head, and a window.
!mistral_q = tensor<?x8x?x128xbf16>
!mistral_kv = tensor<?x2x?x128xbf16>

func.func @mistral(%q: !mistral_q, %k: !mistral_kv, %v: !mistral_kv, %end: !lengths, %begin: !lengths, %row: !positions, %slot: !positions) -> !mistral_q {
  %c0 = arith.constant 0 : index
  %c2 = arith.constant 2 : index
  %b = tensor.dim %q, %c0 : !mistral_q
  %sq = tensor.dim %q, %c2 : !mistral_q
  %init = tensor.empty(%b, %sq) : !mistral_q
  %o = sparse_attn.attention mask(#sparse_attn.sliding_window<left = 23, right = 0>)
      ins(%q, %k, %v : !mistral_q, !mistral_kv, !mistral_kv)
      data(key_lengths = %end : !lengths, key_begin = %begin : !lengths, query_position = %row : !positions, key_position = %slot : !positions)
      outs(%init : !mistral_q) -> !mistral_q
  return %o : !mistral_q
}

// Gemma 2: a soft cap of scores, a scale of its own, and in every other layer a window.
!gemma2_q = tensor<?x4x?x256xbf16>
!gemma2_kv = tensor<?x2x?x256xbf16>

func.func @gemma2(%q: !gemma2_q, %k: !gemma2_kv, %v: !gemma2_kv, %end: !lengths, %begin: !lengths, %row: !positions, %slot: !positions) -> !gemma2_q {
  %c0 = arith.constant 0 : index
  %c2 = arith.constant 2 : index
  %b = tensor.dim %q, %c0 : !gemma2_q
  %sq = tensor.dim %q, %c2 : !gemma2_q
  %init = tensor.empty(%b, %sq) : !gemma2_q
  %o = sparse_attn.attention mask(#sparse_attn.sliding_window<left = 23, right = 0>) scale(6.25e-02) softcap(50.0)
      ins(%q, %k, %v : !gemma2_q, !gemma2_kv, !gemma2_kv)
      data(key_lengths = %end : !lengths, key_begin = %begin : !lengths, query_position = %row : !positions, key_position = %slot : !positions)
      outs(%init : !gemma2_q) -> !gemma2_q
  return %o : !gemma2_q
}

// Gemma 3: one layer in six sees all keys.
!gemma3_q = tensor<?x4x?x256xbf16>
!gemma3_kv = tensor<?x2x?x256xbf16>

func.func @gemma3(%q: !gemma3_q, %k: !gemma3_kv, %v: !gemma3_kv, %end: !lengths, %begin: !lengths, %row: !positions, %slot: !positions) -> !gemma3_q {
  %c0 = arith.constant 0 : index
  %c2 = arith.constant 2 : index
  %b = tensor.dim %q, %c0 : !gemma3_q
  %sq = tensor.dim %q, %c2 : !gemma3_q
  %init = tensor.empty(%b, %sq) : !gemma3_q
  %o = sparse_attn.attention mask(#sparse_attn.causal) scale(6.25e-02)
      ins(%q, %k, %v : !gemma3_q, !gemma3_kv, !gemma3_kv)
      data(key_lengths = %end : !lengths, key_begin = %begin : !lengths, query_position = %row : !positions, key_position = %slot : !positions)
      outs(%init : !gemma3_q) -> !gemma3_q
  return %o : !gemma3_q
}

// GPT-OSS: eight query heads a key head, a window, and a sink a head.
!gpt_oss_q = tensor<?x16x?x64xbf16>
!gpt_oss_kv = tensor<?x2x?x64xbf16>

func.func @gpt_oss(%q: !gpt_oss_q, %k: !gpt_oss_kv, %v: !gpt_oss_kv, %end: !lengths, %begin: !lengths, %row: !positions, %slot: !positions, %sinks: tensor<16xf32>) -> !gpt_oss_q {
  %c0 = arith.constant 0 : index
  %c2 = arith.constant 2 : index
  %b = tensor.dim %q, %c0 : !gpt_oss_q
  %sq = tensor.dim %q, %c2 : !gpt_oss_q
  %init = tensor.empty(%b, %sq) : !gpt_oss_q
  %o = sparse_attn.attention mask(#sparse_attn.sliding_window<left = 15, right = 0>)
      ins(%q, %k, %v : !gpt_oss_q, !gpt_oss_kv, !gpt_oss_kv)
      data(key_lengths = %end : !lengths, key_begin = %begin : !lengths, query_position = %row : !positions, key_position = %slot : !positions, sinks = %sinks : tensor<16xf32>)
      outs(%init : !gpt_oss_q) -> !gpt_oss_q
  return %o : !gpt_oss_q
}

// Llama 4: chunks, in three of four layers.
!llama4_q = tensor<?x10x?x128xbf16>
!llama4_kv = tensor<?x2x?x128xbf16>

func.func @llama4(%q: !llama4_q, %k: !llama4_kv, %v: !llama4_kv, %end: !lengths, %begin: !lengths, %row: !positions, %slot: !positions) -> !llama4_q {
  %c0 = arith.constant 0 : index
  %c2 = arith.constant 2 : index
  %b = tensor.dim %q, %c0 : !llama4_q
  %sq = tensor.dim %q, %c2 : !llama4_q
  %init = tensor.empty(%b, %sq) : !llama4_q
  %o = sparse_attn.attention mask(#sparse_attn.intersection<#sparse_attn.causal, #sparse_attn.chunked<size = 20>>)
      ins(%q, %k, %v : !llama4_q, !llama4_kv, !llama4_kv)
      data(key_lengths = %end : !lengths, key_begin = %begin : !lengths, query_position = %row : !positions, key_position = %slot : !positions)
      outs(%init : !llama4_q) -> !llama4_q
  return %o : !llama4_q
}
