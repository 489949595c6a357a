// RUN: sparse-attn-opt %s --transform-interpreter --split-input-file --verify-diagnostics \
// RUN:   --mlir-print-op-on-diagnostic=false

// Tiles of several, but not all, grouped heads are refused: whether they cut a
// group depends on where the loop puts them.
func.func @cut_group(%q: tensor<2x8x16x8xf32>, %k: tensor<2x2x16x8xf32>,
                     %init: tensor<2x8x16x8xf32>) -> tensor<2x8x16x8xf32> {
  // expected-error@below {{can be tiled along query heads only by one head, by all heads, or where every query head has its own key head}}
  // expected-error@below {{faild to tile operation}}
  // expected-error@below {{failed to generate tiling loops}}
  // expected-note@below {{when applied to this op}}
  %o = sparse_attn.attention mask(#sparse_attn.causal)
      ins(%q, %k, %k : tensor<2x8x16x8xf32>, tensor<2x2x16x8xf32>, tensor<2x2x16x8xf32>)
      outs(%init : tensor<2x8x16x8xf32>) -> tensor<2x8x16x8xf32>
  return %o : tensor<2x8x16x8xf32>
}
module attributes {transform.with_named_sequence} {
  transform.named_sequence @__transform_main(%module: !transform.any_op) {
    %op = transform.structured.match ops{["sparse_attn.attention"]} in %module
        : (!transform.any_op) -> !transform.any_op
    // expected-error@below {{failed to apply}}
    transform.structured.tile_using_forall %op tile_sizes [0, 2, 0]
        : (!transform.any_op) -> (!transform.any_op, !transform.any_op)
    transform.yield
  }
}

// -----

// Tiles are slices of tensors: buffers are too late.
func.func @memrefs(%q: memref<2x8x?x8xf32>, %o: memref<2x8x?x8xf32>) {
  // expected-error@below {{on memrefs cannot be tiled; tile it before bufferization}}
  // expected-error@below {{faild to tile operation}}
  // expected-error@below {{failed to generate tiling loops}}
  // expected-note@below {{when applied to this op}}
  sparse_attn.attention mask(#sparse_attn.causal)
      ins(%q, %q, %q : memref<2x8x?x8xf32>, memref<2x8x?x8xf32>, memref<2x8x?x8xf32>)
      outs(%o : memref<2x8x?x8xf32>)
  return
}
module attributes {transform.with_named_sequence} {
  transform.named_sequence @__transform_main(%module: !transform.any_op) {
    %op = transform.structured.match ops{["sparse_attn.attention"]} in %module
        : (!transform.any_op) -> !transform.any_op
    // expected-error@below {{failed to apply}}
    transform.structured.tile_using_forall %op tile_sizes [0, 0, 16]
        : (!transform.any_op) -> (!transform.any_op, !transform.any_op)
    transform.yield
  }
}
