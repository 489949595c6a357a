// RUN: sparse-attn-opt %s --sparse-attn-verify-plan --mlir-print-op-on-diagnostic=false --verify-diagnostics

// The tiles on the diagonal are left out.
!t = tensor<1x4x64x8xf32>
func.func @missed(%q: !t) -> !t {
  // expected-error@below {{plan does not cover its mask: a live pair lies in no visited tile}}
  // expected-note@below {{witness: head 0, query position 0, key position 0 at Sq = 64, Sk = 64}}
  %o = sparse_attn.attention mask(#sparse_attn.causal)
      plan(<tile = [16, 16], rows = [<"0" to "64", segments = [<partial "0" to "q">]>]>)
      ins(%q, %q, %q : !t, !t, !t) outs(%q : !t) -> !t
  return %o : !t
}
