// A plan that gives up its closed form says why and what helps: as text, as JSON, and
// in a remark of the planning pass. (Where processors know both
// lengths they have a table of tiles instead.)
//
// RUN: sparse-attn-inspect %s --entry=many --shape=Sq=512,Sk=512 2> %t.err | FileCheck %s
// RUN: FileCheck %s --check-prefix=REMARK < %t.err
// RUN: sparse-attn-inspect %s --entry=many --shape=Sq=512,Sk=512 --format=json 2> /dev/null | FileCheck %s --check-prefix=JSON
// RUN: sparse-attn-inspect %s --entry=causal --format=json 2> /dev/null | FileCheck %s --check-prefix=NONE
// RUN: sparse-attn-inspect %s --entry=planned 2> /dev/null | FileCheck %s --check-prefix=PLANNED
//
// CHECK:      plan      tile
// CHECK:        partial 0 to
// CHECK-NEXT: loss      the mask is a union of more than 64 pieces, so every tile is visited, with the mask evaluated in each; write it with fewer terms, or give its parts attentions of their own and merge these by their LSE
// CHECK-EMPTY:
// CHECK-NEXT: pairs
//
// REMARK: losses.mlir:[[# @LINE + 15]]:8: remark: the mask is a union of more than 64 pieces, so every tile is visited
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
!u = tensor<1x1x?x16xf32>
#many = #sparse_attn.intersection<#sparse_attn.union<#sparse_attn.strided<stride = 2>, #sparse_attn.strided<stride = 3>, #sparse_attn.strided<stride = 5>, #sparse_attn.strided<stride = 7>, #sparse_attn.strided<stride = 11>, #sparse_attn.strided<stride = 13>, #sparse_attn.strided<stride = 17>, #sparse_attn.strided<stride = 19>, #sparse_attn.strided<stride = 23>>, #sparse_attn.union<#sparse_attn.chunked<size = 5>, #sparse_attn.chunked<size = 7>, #sparse_attn.chunked<size = 9>, #sparse_attn.chunked<size = 11>, #sparse_attn.chunked<size = 13>, #sparse_attn.chunked<size = 16>, #sparse_attn.chunked<size = 17>, #sparse_attn.chunked<size = 19>, #sparse_attn.chunked<size = 23>>>
func.func @many(%q: !u) -> !u {
  %o = sparse_attn.attention mask(#many)
      ins(%q, %q, %q : !u, !u, !u) outs(%q : !u) -> !u
  return %o : !u
}

func.func @causal(%q: !t) -> !t {
  %o = sparse_attn.attention mask(#sparse_attn.causal)
      ins(%q, %q, %q : !t, !t, !t) outs(%q : !t) -> !t
  return %o : !t
}

// Why somebody else's plan visits what it does, nobody knows.
func.func @planned(%q: !t) -> !t {
  %o = sparse_attn.attention mask(#many)
      plan(<tile = [64, 64], rows = [<"0" to "512", segments = [<partial "0" to "4">, <partial "4" to "8">]>]>)
      ins(%q, %q, %q : !t, !t, !t) outs(%q : !t) -> !t
  return %o : !t
}
