// What models have beside attention is read and printed as it is.
// RUN: sparse-attn-opt %s | sparse-attn-opt | FileCheck %s

// CHECK: module attributes {dlti.dl_spec = #dlti.dl_spec<index = 64 : i64>}
module attributes {dlti.dl_spec = #dlti.dl_spec<index = 64 : i64>} {
  // CHECK: ml_program.global
  ml_program.global private @state(dense<0.0> : tensor<4xf32>) : tensor<4xf32>

  func.func @model(%x: tensor<1x1x8x4xf32>, %z: complex<f32>, %i: index) -> tensor<1x1x8x4xf32> {
    // CHECK: ml_program.global_load
    %state = ml_program.global_load @state : tensor<4xf32>
    // CHECK: tosa.add
    %q = tosa.add %x, %x : (tensor<1x1x8x4xf32>, tensor<1x1x8x4xf32>) -> tensor<1x1x8x4xf32>
    // CHECK: shape.shape_of
    %shape = shape.shape_of %q : tensor<1x1x8x4xf32> -> tensor<4xindex>
    // CHECK: complex.re
    %re = complex.re %z : complex<f32>
    // CHECK: index.add
    %j = index.add %i, %i
    // CHECK: ub.poison
    %init = ub.poison : tensor<1x1x8x4xf32>
    // CHECK: sparse_attn.attention
    %o = sparse_attn.attention mask(#sparse_attn.causal)
        ins(%q, %x, %x : tensor<1x1x8x4xf32>, tensor<1x1x8x4xf32>, tensor<1x1x8x4xf32>)
        outs(%init : tensor<1x1x8x4xf32>) -> tensor<1x1x8x4xf32>
    return %o : tensor<1x1x8x4xf32>
  }
}
