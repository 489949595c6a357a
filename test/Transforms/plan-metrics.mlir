// What a plan comes to, as numbers: tiles of one head where the lengths are known.
//
// RUN: sparse-attn-opt %s --sparse-attn-plan="tile-queries=32 tile-keys=32" \
// RUN:   --remarks-filter=sparse-attn-plan --remark-format=yaml --remarks-output-file=%t.yaml -o /dev/null
// RUN: FileCheck %s --input-file=%t.yaml

// Of 8 x 8 tiles those on the diagonal are partial, and those below it full.
//
// CHECK:      --- !Analysis
// CHECK-NEXT: Pass:            sparse-attn-plan
// CHECK-NEXT: Name:            tiles
// CHECK:      Args:
// CHECK-NEXT:   - tile-queries:    '32'
// CHECK-NEXT:   - tile-heads:      '1'
// CHECK-NEXT:   - tile-keys:       '32'
// CHECK-NEXT:   - row-classes:     '1'
// CHECK-NEXT:   - full:            '28'
// CHECK-NEXT:   - partial:         '8'
// CHECK-NEXT:   - skipped:         '28'
func.func @causal(%q: tensor<1x2x256x16xf32>, %init: tensor<1x2x256x16xf32>) -> tensor<1x2x256x16xf32> {
  %o = sparse_attn.attention mask(#sparse_attn.causal)
      ins(%q, %q, %q : tensor<1x2x256x16xf32>, tensor<1x2x256x16xf32>, tensor<1x2x256x16xf32>)
      outs(%init : tensor<1x2x256x16xf32>) -> tensor<1x2x256x16xf32>
  return %o : tensor<1x2x256x16xf32>
}

// The global token's row is a class of its own, and tiles are not known.
//
// CHECK:      --- !Analysis
// CHECK:        - row-classes:     '2'
// CHECK-NOT:    - full
func.func @dynamic(%q: tensor<1x2x?x16xf32>, %init: tensor<1x2x?x16xf32>) -> tensor<1x2x?x16xf32> {
  %o = sparse_attn.attention mask(#sparse_attn.longformer<window = 64, global_tokens = [0]>)
      ins(%q, %q, %q : tensor<1x2x?x16xf32>, tensor<1x2x?x16xf32>, tensor<1x2x?x16xf32>)
      outs(%init : tensor<1x2x?x16xf32>) -> tensor<1x2x?x16xf32>
  return %o : tensor<1x2x?x16xf32>
}
