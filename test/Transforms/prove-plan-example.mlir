// RUN: sparse-attn-opt %s --sparse-attn-prove-plan --mlir-print-op-on-diagnostic=false --verify-diagnostics

!t = tensor<1x1x64x16xf32>
func.func @right(%q: !t) -> !t {
  // expected-remark@below {{plan proven (exhaustive rows)}}
  %o = sparse_attn.attention mask(#sparse_attn.causal)
      plan(<tile = [16, 16], rows = [<"0" to "64", segments = [<full "0" to "q">, <partial "q" to "q + 1">]>]>)
      ins(%q, %q, %q : !t, !t, !t) outs(%q : !t) -> !t
  return %o : !t
}

func.func @wrong(%q: !t) -> !t {
  // expected-error@below {{plan does not cover its mask: a full tile has a masked pair}}
  // expected-note@below {{witness: head 0, query position 0, key position 1 at Sq = 64, Sk = 64}}
  %o = sparse_attn.attention mask(#sparse_attn.causal)
      plan(<tile = [16, 16], rows = [<"0" to "64", segments = [<full "0" to "q + 1">]>]>)
      ins(%q, %q, %q : !t, !t, !t) outs(%q : !t) -> !t
  return %o : !t
}
