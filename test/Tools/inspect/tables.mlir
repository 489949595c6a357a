// All query tiles of a table are said, in JSON.
// RUN: sparse-attn-inspect %s --format=json | FileCheck %s

// CHECK:      "tables": [
// CHECK-NEXT:   [
// CHECK-NEXT:     {
// CHECK-NEXT:       "full": [
// CHECK-NEXT:         0
// CHECK-NEXT:       ],
// CHECK-NEXT:       "partial": [
// CHECK-NEXT:         8
// CHECK-NEXT:       ],
// CHECK-NEXT:       "rows": [
// CHECK-NEXT:         0,
// CHECK-NEXT:         8
// CHECK-NEXT:       ]
// CHECK-NEXT:     },
// CHECK:            "rows": [
// CHECK-NEXT:         8,
// CHECK-NEXT:         10
// CHECK-NEXT:       ]
// CHECK-NEXT:     },
// CHECK-NEXT:     {
// CHECK-NEXT:       "full": [],
// CHECK-NEXT:       "partial": [
// CHECK-NEXT:         8
// CHECK-NEXT:       ],
// CHECK-NEXT:       "rows": [
// CHECK-NEXT:         10,
// CHECK-NEXT:         16
// CHECK-NEXT:       ]
// CHECK-NEXT:     }
// CHECK-NEXT:   ]
// CHECK-NEXT: ],
// CHECK-NEXT: "tile": [

!t = tensor<1x1x16x8xf32>
func.func @documents(%q: !t, %k: !t, %v: !t) -> !t {
  %init = tensor.empty() : !t
  %o = sparse_attn.attention
      mask(#sparse_attn.union<
        #sparse_attn.intersection<
          #sparse_attn.global<first = 10, direction = rows>,
          #sparse_attn.prefix<length = 10>>,
        #sparse_attn.intersection<
          #sparse_attn.complement<#sparse_attn.global<first = 10, direction = rows>>,
          #sparse_attn.complement<#sparse_attn.prefix<length = 10>>>>)
      plan(<tile = [8, 8], rows = [<"0" to "16", table = [
        <0 to 8, partial = [8], full = [0]>,
        <8 to 10, partial = [8], full = [0]>,
        <10 to 16, partial = [8]>]>]>)
      ins(%q, %k, %v : !t, !t, !t) outs(%init : !t) -> !t
  return %o : !t
}
