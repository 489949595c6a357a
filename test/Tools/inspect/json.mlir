// RUN: sparse-attn-inspect %s --format=json | FileCheck %s
// RUN: sparse-attn-inspect %s --format=json | %python -m json.tool > %t
// RUN: sparse-attn-inspect %s --format=json --entry=random \
// RUN:   | FileCheck %s --check-prefix=ONE --implicit-check-not=causal
// RUN: rm -f %t.json
// RUN: sparse-attn-inspect %s --format=json -o %t.json | count 0
// RUN: FileCheck %s < %t.json

// CHECK:      "attentions": [
// CHECK:          "bytes": 8192,
// CHECK-NEXT:     "computed_pairs": 1280,
// CHECK-NEXT:     "dense_flops": 65536,
// CHECK-NEXT:     "density": 0.515625,
// CHECK-NEXT:     "entry": "causal",
// CHECK-NEXT:     "flops": 33792,
// CHECK-NEXT:     "least_waste": {
// CHECK-NEXT:       "rows": 8,
// CHECK-NEXT:       "waste": 1.2121{{[0-9]+}}
// CHECK-NEXT:     },
// CHECK-NEXT:     "live_pairs": 1056,
// CHECK-NEXT:     "mask": "#sparse_attn.causal",
// CHECK-NEXT:     "plan": "tile 8 x 8\nrows 0 to nq\n  full 0 to q\n  partial q to q + 1\n",
// CHECK-NEXT:     "plan_losses": [],
// CHECK-NEXT:     "proof": {
// CHECK-NEXT:       "method": null,
// CHECK-NEXT:       "reason": null,
// CHECK-NEXT:       "verdict": "not_run"
// CHECK-NEXT:     },
// CHECK-NEXT:     "reach": {
// CHECK-NEXT:       "exact": true,
// CHECK-NEXT:       "kind": "causal",
// CHECK-NEXT:       "layers": 1,
// CHECK-NEXT:       "looks_ahead": false
// CHECK-NEXT:     },
// CHECK-NEXT:     "reads_data": false,
// CHECK-NEXT:     "speedup_bound": 1.6{{[0-9]*}},
// CHECK-NEXT:     "tables": [],
// CHECK-NEXT:     "tile": [
// CHECK-NEXT:       8,
// CHECK-NEXT:       8
// CHECK-NEXT:     ],
// CHECK-NEXT:     "tiles": {
// CHECK-NEXT:       "empty": 12,
// CHECK-NEXT:       "full": 12,
// CHECK-NEXT:       "partial": 8
// CHECK-NEXT:     },
// CHECK-NEXT:     "total_pairs": 2048,
// CHECK-NEXT:     "visited_pairs": 1280,
// CHECK-NEXT:     "waste": 1.2121
// CHECK:          "entry": "random",

// Random blocks differ by head: 2 of 8 blocks of 16 keys for 128 rows, in each of
// 3 heads. Sq and Sk are equal, or there would be no reach.

// ONE:            "entry": "random",
// ONE:            "live_pairs": 12288,
// ONE:            "reach": {
// ONE:            "total_pairs": 49152,
// ONE:            "visited_pairs":

// A plan in the file is reported as it stands.

func.func @causal(%x: tensor<1x2x32x8xf32>) -> tensor<1x2x32x8xf32> {
  %init = tensor.empty() : tensor<1x2x32x8xf32>
  %o = sparse_attn.attention mask(#sparse_attn.causal)
      plan(#sparse_attn.plan<tile = [8, 8], rows = [
        <"0" to "nq", segments = [<full "0" to "q">,
                                  <partial "q" to "q + 1">]>]>)
      ins(%x, %x, %x : tensor<1x2x32x8xf32>, tensor<1x2x32x8xf32>,
                       tensor<1x2x32x8xf32>)
      outs(%init : tensor<1x2x32x8xf32>) -> tensor<1x2x32x8xf32>
  return %o : tensor<1x2x32x8xf32>
}

func.func @random(%x: tensor<1x3x128x8xbf16>) -> tensor<1x3x128x8xbf16> {
  %init = tensor.empty() : tensor<1x3x128x8xbf16>
  %o = sparse_attn.attention
      mask(#sparse_attn.random<block = 16, blocks_per_row = 2, seed = 1>)
      ins(%x, %x, %x : tensor<1x3x128x8xbf16>, tensor<1x3x128x8xbf16>,
                       tensor<1x3x128x8xbf16>)
      outs(%init : tensor<1x3x128x8xbf16>) -> tensor<1x3x128x8xbf16>
  return %o : tensor<1x3x128x8xbf16>
}
