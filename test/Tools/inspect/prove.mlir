// RUN: sparse-attn-inspect %s --entry=right --prove | FileCheck %s
// RUN: sparse-attn-inspect %s --entry=right --prove --format=json \
// RUN:   | FileCheck %s --check-prefix=JSON
// RUN: sparse-attn-inspect %s --entry=any_length --prove --shape=S=100 \
// RUN:   | FileCheck %s --check-prefix=ANY
// RUN: sparse-attn-inspect %s --entry=wrong | FileCheck %s --check-prefix=UNASKED

// CHECK:   proof     proven (exhaustive rows): every row was checked

// JSON:      "proof": {
// JSON-NEXT:   "method": "exhaustive rows",
// JSON-NEXT:   "reason": "every row was checked",
// JSON-NEXT:   "verdict": "proven"

// The proof of a plan for dynamic lengths holds for all of them.
// ANY:     100 queries x 100 keys
// ANY:     proof     proven (presburger): no violation exists at any of the lengths

// UNASKED:     function  @wrong
// UNASKED-NOT: proof

// The report of a refuted plan is complete, but it is an error.

// RUN: not sparse-attn-inspect %s --prove --format=json --entry=wrong \
// RUN:   -o %t.json 2>&1 | FileCheck %s --check-prefix=ERROR
// RUN: FileCheck %s --check-prefix=REFUTED < %t.json
// RUN: not sparse-attn-inspect %s --entry=wrong --prove 2>/dev/null \
// RUN:   | FileCheck %s --check-prefix=WITNESS

// ERROR:        sparse-attn-inspect: error: a plan does not cover its mask; the report has a witness

// REFUTED:      "entry": "wrong",
// REFUTED:      "proof": {
// REFUTED-NEXT:   "method": "exhaustive rows",
// REFUTED-NEXT:   "reason": "{{.+}}",
// REFUTED-NEXT:   "verdict": "refuted",
// REFUTED-NEXT:   "witness": {
// REFUTED-NEXT:     "head": 0,
// REFUTED-NEXT:     "key": [[KEY:[0-9]+]],
// REFUTED-NEXT:     "num_keys": 32,
// REFUTED-NEXT:     "num_queries": 32,
// REFUTED-NEXT:     "query": [[KEY]]

// WITNESS:      proof     refuted: {{.+}}
// WITNESS-NEXT: {{^ +}}witness: head 0, query position [[I:[0-9]+]], key position [[I]] at Sq = 32, Sk = 32

func.func @right(%x: tensor<1x2x32x8xf32>) -> tensor<1x2x32x8xf32> {
  %init = tensor.empty() : tensor<1x2x32x8xf32>
  %o = sparse_attn.attention mask(#sparse_attn.causal)
      ins(%x, %x, %x : tensor<1x2x32x8xf32>, tensor<1x2x32x8xf32>,
                       tensor<1x2x32x8xf32>)
      outs(%init : tensor<1x2x32x8xf32>) -> tensor<1x2x32x8xf32>
  return %o : tensor<1x2x32x8xf32>
}

func.func @any_length(%x: tensor<1x2x?x8xf32>) -> tensor<1x2x?x8xf32> {
  %o = sparse_attn.attention mask(#sparse_attn.causal)
      ins(%x, %x, %x : tensor<1x2x?x8xf32>, tensor<1x2x?x8xf32>,
                       tensor<1x2x?x8xf32>)
      outs(%x : tensor<1x2x?x8xf32>) -> tensor<1x2x?x8xf32>
  return %o : tensor<1x2x?x8xf32>
}

// The diagonal tiles, which hold the only live pair of the rows 0, 8, 16 and 24
// at key = query, are never visited.

func.func @wrong(%x: tensor<1x2x32x8xf32>) -> tensor<1x2x32x8xf32> {
  %init = tensor.empty() : tensor<1x2x32x8xf32>
  %o = sparse_attn.attention
      mask(#sparse_attn.sliding_window<left = 0, right = 0>)
      plan(#sparse_attn.plan<tile = [8, 8], rows = [
        <"0" to "nq", segments = [<partial "0" to "q">]>]>)
      ins(%x, %x, %x : tensor<1x2x32x8xf32>, tensor<1x2x32x8xf32>,
                       tensor<1x2x32x8xf32>)
      outs(%init : tensor<1x2x32x8xf32>) -> tensor<1x2x32x8xf32>
  return %o : tensor<1x2x32x8xf32>
}
