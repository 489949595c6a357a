// A plan that gives up its closed form says why and what helps: as text, as JSON, and
// in a remark of the planning pass.
//
// RUN: sparse-attn-inspect %s --entry=many 2> %t.err | FileCheck %s
// RUN: FileCheck %s --check-prefix=REMARK < %t.err
// RUN: sparse-attn-inspect %s --entry=many --format=json 2> /dev/null | FileCheck %s --check-prefix=JSON
// RUN: sparse-attn-inspect %s --entry=causal --format=json 2> /dev/null | FileCheck %s --check-prefix=NONE
// RUN: sparse-attn-inspect %s --entry=planned 2> /dev/null | FileCheck %s --check-prefix=PLANNED
//
// CHECK:      plan      tile
// CHECK:        partial 0 to
// CHECK-NEXT: loss      the mask is a union of more than 64 pieces, so every tile is visited, with the mask evaluated in each; write it with fewer terms, or give its parts attentions of their own and merge these by their LSE
// CHECK-EMPTY:
// CHECK-NEXT: pairs
//
// REMARK: losses.mlir:[[# @LINE + 13]]:8: remark: the mask is a union of more than 64 pieces, so every tile is visited
// REMARK-NOT: remark
//
// JSON:      "plan_losses": [
// JSON-NEXT:   "the mask is a union of more than 64 pieces, so every tile is visited, with the mask evaluated in each; write it with fewer terms, or give its parts attentions of their own and merge these by their LSE"
// JSON-NEXT: ]
//
// NONE: "plan_losses": []
//
// PLANNED-NOT: loss

!t = tensor<1x1x512x16xf32>
func.func @many(%q: !t) -> !t {
  %o = sparse_attn.attention mask(#sparse_attn.global<tokens = [0, 3, 6, 9, 12, 15, 18, 21, 24, 27, 30, 33, 36, 39, 42, 45, 48, 51, 54, 57, 60, 63, 66, 69, 72, 75, 78, 81, 84, 87, 90, 93, 96, 99]>)
      ins(%q, %q, %q : !t, !t, !t) outs(%q : !t) -> !t
  return %o : !t
}

func.func @causal(%q: !t) -> !t {
  %o = sparse_attn.attention mask(#sparse_attn.causal)
      ins(%q, %q, %q : !t, !t, !t) outs(%q : !t) -> !t
  return %o : !t
}

// Why somebody else's plan visits what it does, nobody knows.
func.func @planned(%q: !t) -> !t {
  %o = sparse_attn.attention mask(#sparse_attn.global<tokens = [0, 3, 6, 9, 12, 15, 18, 21, 24, 27, 30, 33, 36, 39, 42, 45, 48, 51, 54, 57, 60, 63, 66, 69, 72, 75, 78, 81, 84, 87, 90, 93, 96, 99]>)
      plan(<tile = [64, 64], rows = [<"0" to "512", segments = [<partial "0" to "4">, <partial "4" to "8">]>]>)
      ins(%q, %q, %q : !t, !t, !t) outs(%q : !t) -> !t
  return %o : !t
}
