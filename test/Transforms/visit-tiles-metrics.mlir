// What the loops of each class of rows come to, as numbers.
//
// RUN: sparse-attn-opt %s --sparse-attn-plan="tile-queries=32 tile-keys=32" --sparse-attn-visit-tiles=heavy-splits=4 \
// RUN:   --remarks-filter=sparse-attn-visit-tiles -o /dev/null 2>&1 | FileCheck %s

// The global token's row sees all keys, in one full segment and four parts.
//
// CHECK: remark: [Analysis] row-class | Category:sparse-attn-visit-tiles |
// CHECK-SAME: full-segments=1, partial-segments=3, parts=1, tile-lists=0
// CHECK: remark: [Analysis] row-class | Category:sparse-attn-visit-tiles |
// CHECK-SAME: full-segments=1, partial-segments=0, parts=4, tile-lists=0
func.func @longformer(%q: tensor<1x2x256x16xf32>, %init: tensor<1x2x256x16xf32>) -> tensor<1x2x256x16xf32> {
  %o = sparse_attn.attention mask(#sparse_attn.longformer<window = 64, global_tokens = [0]>)
      ins(%q, %q, %q : tensor<1x2x256x16xf32>, tensor<1x2x256x16xf32>, tensor<1x2x256x16xf32>)
      outs(%init : tensor<1x2x256x16xf32>) -> tensor<1x2x256x16xf32>
  return %o : tensor<1x2x256x16xf32>
}
