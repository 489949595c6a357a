// RUN: sparse-attn-inspect %s | FileCheck %s --match-full-lines --strict-whitespace

//      CHECK:function  @longformer, line 40
// CHECK-NEXT:mask      #sparse_attn.longformer<window = 8, global_tokens = [0]>
// CHECK-NEXT:          = union(sliding_window(left=4, right=4), global(tokens=[0]))
// CHECK-NEXT:shape     Q 2x4x32x16, K 2x2x32x16, V 2x2x32x8 of f16
// CHECK-EMPTY:
// CHECK-NEXT:plan      tile {{[0-9]+}} x {{[0-9]+}}
// CHECK-NEXT:          rows 0 to 32
// CHECK-NEXT:            partial 0 to 2
// CHECK-NEXT:          rows 0 to 1, heavy
// CHECK-NEXT:            full 0 to 2
// CHECK-EMPTY:

// A band of 9 keys, cut at both corners by 4 + 3 + 2 + 1, and 27 more pairs in
// row 0 and as many in column 0: 322 pairs a head. FLOPs: 2 (16 + 8) a pair, in
// 2 batches. Bytes: (16 + 8) * 2 a row, of 2 * (4 + 2) * 32 rows.

// CHECK-NEXT:pairs     1288 of 4096 live, density 31.45%
// CHECK-NEXT:tiles     {{[0-9]+}} full, {{[0-9]+}} partial, {{[0-9]+}} empty
// CHECK-NEXT:waste     {{[0-9.]+}}: {{[0-9]+}} pairs are computed; no plan of {{[0-9]+}} neighbouring rows is below {{[0-9.]+}}
// CHECK-NEXT:compute   124 kFLOP of dense 393 kFLOP
// CHECK-NEXT:memory    18.4 kB for Q, K, V and O once each, as dense: 6.71 FLOP a byte
// CHECK-NEXT:speed-up  over dense at most 3.18x by live pairs, {{[0-9.e+]+}}x by the pairs that are computed
// CHECK-NEXT:          (pairs and tiles of one batch over all 4 query heads; compute and memory of the whole op)
// CHECK-EMPTY:
// CHECK-NEXT:32 queries x 32 keys, head 0, 31.45% of the pairs live
// CHECK-NEXT:       key  0               16
// CHECK-NEXT:   query 0 |################################|
// CHECK-NEXT:           |######..........................|
//      CHECK:         8 |#...#########...................|
//      CHECK:           |#..........................#####|
// CHECK-NEXT:one cell = 1 x 1 pairs:  # all live  + some live  . none live
// CHECK-EMPTY:
// CHECK-NEXT:function  @nothing, line 52

func.func @longformer(%q: tensor<2x4x32x16xf16>, %k: tensor<2x2x32x16xf16>,
                      %v: tensor<2x2x32x8xf16>) -> tensor<2x4x32x8xf16> {
  %init = tensor.empty() : tensor<2x4x32x8xf16>
  %o = sparse_attn.attention
      mask(#sparse_attn.longformer<window = 8, global_tokens = [0]>)
      ins(%q, %k, %v : tensor<2x4x32x16xf16>, tensor<2x2x32x16xf16>,
                       tensor<2x2x32x8xf16>)
      outs(%init : tensor<2x4x32x8xf16>) -> tensor<2x4x32x8xf16>
  return %o : tensor<2x4x32x8xf16>
}

// A composition says all itself, and gets no second line.

func.func @nothing(%x: tensor<1x1x8x8xf32>) -> tensor<1x1x8x8xf32> {
  %init = tensor.empty() : tensor<1x1x8x8xf32>
  %o = sparse_attn.attention
      mask(#sparse_attn.complement<#sparse_attn.full>)
      ins(%x, %x, %x : tensor<1x1x8x8xf32>, tensor<1x1x8x8xf32>,
                       tensor<1x1x8x8xf32>)
      outs(%init : tensor<1x1x8x8xf32>) -> tensor<1x1x8x8xf32>
  return %o : tensor<1x1x8x8xf32>
}

// CHECK-NEXT:mask      #sparse_attn.complement<#sparse_attn.full>
// CHECK-NEXT:shape     Q 1x1x8x8, K 1x1x8x8, V 1x1x8x8 of f32
//      CHECK:pairs     0 of 64 live, density 0%
//      CHECK:speed-up  none to speak of: no query has a key, and the output is all zeros
