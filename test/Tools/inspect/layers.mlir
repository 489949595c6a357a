// RUN: sparse-attn-inspect %s --shape=S=64 --layers=1 | FileCheck %s
// RUN: sparse-attn-inspect %s --shape=S=64 --layers=63 --entry=window \
// RUN:   | FileCheck %s --check-prefix=DEEP
// RUN: sparse-attn-inspect %s --shape=S=64 --layers=1 --format=json \
// RUN:   --entry=never | FileCheck %s --check-prefix=JSON
// RUN: sparse-attn-inspect %s --shape=Sq=8,Sk=64 --layers=1 --entry=window \
// RUN:   | FileCheck %s --check-prefix=UNDEFINED
// RUN: sparse-attn-inspect %s --shape=Sq=8,Sk=64 --layers=1 --entry=window \
// RUN:   --format=json | FileCheck %s --check-prefix=NULL

// Long sequences are asked about in blocks, and only on demand.

// RUN: sparse-attn-inspect %s --shape=S=65536 --layers=1 --entry=global \
// RUN:   | FileCheck %s --check-prefix=LONG
// RUN: sparse-attn-inspect %s --shape=S=65536 --entry=global --format=json \
// RUN:   | FileCheck %s --check-prefix=NULL

// CHECK:      function  @window
// CHECK:      reach     every position reaches all before it after 63 layers
// CHECK-NEXT: {{^ +}}after 1 layer: 6.106% of the pairs with key <= query, too few layers

// CHECK:      function  @global
// CHECK:      reach     every position reaches every other after 2 layers

// CHECK:      function  @never
// CHECK:      reach     some positions never reach some others, however many layers: 50% of the pairs at most

// Only the diagonal is live: of 64 * 65 / 2 pairs that a causal mask may have, 64.
// CHECK:      function  @diagonal
// CHECK:      reach     some positions never reach some others, however many layers: 3.077% of the pairs with key <= query at most
// CHECK-NEXT: {{^ +}}after 1 layer: 3.077% of the pairs with key <= query{{$}}

// DEEP:       every position reaches all before it after 63 layers
// DEEP-NEXT:  after 63 layers: 100% of the pairs with key <= query{{$}}

// JSON:       "exact": true,
// JSON-NEXT:  "fraction_after": 0.5,
// JSON-NEXT:  "kind": "never",
// JSON-NEXT:  "layers": null,
// JSON-NEXT:  "looks_ahead": true

// UNDEFINED:  reach     undefined, since the numbers of queries and keys differ
// NULL:       "reach": null

// LONG:       reach     every position reaches every other after no fewer than 2 layers
// LONG-NEXT:  after 1 layer: {{.*}} of the pairs at most, too few layers
// LONG-NEXT:  (the sequence is long: positions are told apart in blocks of 16)

!t = tensor<1x2x?x8xf32>

func.func @window(%x: !t, %y: !t) -> !t {
  %o = sparse_attn.attention
      mask(#sparse_attn.sliding_window<left = 1, right = 0>)
      ins(%x, %y, %y : !t, !t, !t) outs(%x : !t) -> !t
  return %o : !t
}

func.func @global(%x: !t) -> !t {
  %o = sparse_attn.attention mask(#sparse_attn.global<tokens = [0]>)
      ins(%x, %x, %x : !t, !t, !t) outs(%x : !t) -> !t
  return %o : !t
}

// Odd and even positions do not meet.

func.func @never(%x: !t) -> !t {
  %o = sparse_attn.attention mask(#sparse_attn.strided<stride = 2>)
      ins(%x, %x, %x : !t, !t, !t) outs(%x : !t) -> !t
  return %o : !t
}

func.func @diagonal(%x: !t) -> !t {
  %o = sparse_attn.attention
      mask(#sparse_attn.sliding_window<left = 0, right = 0>)
      ins(%x, %x, %x : !t, !t, !t) outs(%x : !t) -> !t
  return %o : !t
}
