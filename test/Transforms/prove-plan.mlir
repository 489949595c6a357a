// Every live pair lies in exactly one visited tile, and no full tile has a
// masked pair: shown for the plans of the pass before, and for plans written by
// hand.
//
// RUN: sparse-attn-opt %s --sparse-attn-plan --sparse-attn-prove-plan="fail-unsupported" \
// RUN:   --mlir-print-op-on-diagnostic=false --verify-diagnostics --split-input-file

!t = tensor<1x4x256x64xf32>

// Short lengths are tried out, row by row.
func.func @causal(%q: !t) -> !t {
  // expected-remark@below {{plan proven (exhaustive rows)}}
  %o = sparse_attn.attention mask(#sparse_attn.causal)
      ins(%q, %q, %q : !t, !t, !t) outs(%q : !t) -> !t
  return %o : !t
}

// Heads draw different random blocks; all are tried.
func.func @bigbird(%q: !t) -> !t {
  // expected-remark@below {{plan proven (exhaustive rows)}}
  %o = sparse_attn.attention mask(#sparse_attn.bigbird<block = 16, window_blocks = 3, random_blocks = 2>)
      ins(%q, %q, %q : !t, !t, !t) outs(%q : !t) -> !t
  return %o : !t
}

// A plan by hand. Tiles may be visited in any order, and partial where they
// could be full.
func.func @by_hand(%q: !t) -> !t {
  // expected-remark@below {{plan proven (exhaustive rows)}}
  %o = sparse_attn.attention mask(#sparse_attn.causal)
      plan(<tile = [16, 16], rows = [<"0" to "256", segments = [<partial "q" to "16">, <full "0" to "q">]>]>)
      ins(%q, %q, %q : !t, !t, !t) outs(%q : !t) -> !t
  return %o : !t
}

// -----

!t = tensor<?x4x?x64xf32>

// For lengths known only at run time the proof holds for all of them at once.
func.func @dynamic(%q: !t, %k: !t) -> !t {
  // expected-remark@below {{plan proven (presburger)}}
  %o = sparse_attn.attention mask(#sparse_attn.longformer<window = 512, global_tokens = [0]>)
      ins(%q, %k, %k : !t, !t, !t) outs(%q : !t) -> !t
  return %o : !t
}

// -----

!t = tensor<1x1x1048576x64xbf16>

// So it does where trying out would take too long.
func.func @million(%q: !t) -> !t {
  // expected-remark@below {{plan proven (presburger)}}
  %o = sparse_attn.attention mask(#sparse_attn.longformer<window = 512, global_tokens = [0]>)
      ins(%q, %q, %q : !t, !t, !t) outs(%q : !t) -> !t
  return %o : !t
}

// -----

!t = tensor<1x4x256x64xf32>

// A tile of a larger attention: for each position it may stand at.
func.func @origin(%head: index, %position: index, %q: !t) -> !t {
  // expected-remark@below {{plan proven (presburger)}}
  %o = sparse_attn.attention mask(#sparse_attn.causal)
      ins(%q, %q, %q : !t, !t, !t) origin(%head, %position) outs(%q : !t) -> !t
  return %o : !t
}
