// Plans with tables that come with a file: they are for known lengths, and proven for these.
//
// RUN: sparse-attn-opt %s --sparse-attn-verify-plan --mlir-print-op-on-diagnostic=false --verify-diagnostics \
// RUN:   --split-input-file

!t = tensor<1x1x32x8xf32>

func.func @sound(%q: !t) -> !t {
  %o = sparse_attn.attention mask(#sparse_attn.chunked<size = 20>)
      plan(<tile = [16, 16], rows = [<"0" to "32", table = [
        <0 to 16, partial = [16], full = [0]>, <16 to 20, partial = [0, 16]>, <20 to 32, partial = [16]>]>]>)
      ins(%q, %q, %q : !t, !t, !t) outs(%q : !t) -> !t
  return %o : !t
}

// -----

!t = tensor<1x1x32x8xf32>

func.func @past_the_end(%q: !t) -> !t {
  // expected-error@below {{plan does not cover its mask: a full tile has keys past Sk}}
  // expected-note@below {{witness: head 0, query position 0, key position 32 at Sq = 32, Sk = 32}}
  %o = sparse_attn.attention mask(#sparse_attn.full)
      plan(<tile = [32, 16], rows = [<"0" to "32", table = [<0 to 32, full = [0, 20]>]>]>)
      ins(%q, %q, %q : !t, !t, !t) outs(%q : !t) -> !t
  return %o : !t
}

// -----

!t = tensor<1x1x?x8xf32>

func.func @unknown(%q: !t) -> !t {
  // expected-error@below {{plan not proven: a table is for lengths that are known at compile time; write them in the types, or remove the plan to have one made}}
  %o = sparse_attn.attention mask(#sparse_attn.full)
      plan(<tile = [32, 16], rows = [<"0" to "32", table = [<0 to 32, full = [0, 16]>]>]>)
      ins(%q, %q, %q : !t, !t, !t) outs(%q : !t) -> !t
  return %o : !t
}
