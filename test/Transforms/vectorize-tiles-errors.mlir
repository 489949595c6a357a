// RUN: sparse-attn-opt %s --sparse-attn-vectorize-tiles --split-input-file --verify-diagnostics

func.func @dynamic(%s: tensor<?xf32>) -> tensor<?xf32> {
  // expected-error@below {{'linalg.generic' op has a dynamic shape; tiles must be static to become vectors (run 'sparse-attn-steps-to-tiles' before)}}
  %r = linalg.generic {indexing_maps = [affine_map<(m) -> (m)>], iterator_types = ["parallel"]}
      outs(%s : tensor<?xf32>) {
  ^bb0(%x: f32):
    %p = math.exp2 %x : f32
    linalg.yield %p : f32
  } -> tensor<?xf32>
  return %r : tensor<?xf32>
}

// -----

// A call has no form on vectors.
func.func private @f(f32) -> f32

func.func @call(%s: tensor<16xf32>) -> tensor<16xf32> {
  // expected-error@below {{'linalg.generic' op cannot be turned into operations on vectors}}
  %r = linalg.generic {indexing_maps = [affine_map<(m) -> (m)>], iterator_types = ["parallel"]}
      outs(%s : tensor<16xf32>) {
  ^bb0(%x: f32):
    %p = func.call @f(%x) : (f32) -> f32
    linalg.yield %p : f32
  } -> tensor<16xf32>
  return %r : tensor<16xf32>
}
