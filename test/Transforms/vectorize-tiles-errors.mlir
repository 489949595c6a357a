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

// -----

// Elements of a slice are apart, which a gather does not know.
func.func @slice(%s: tensor<16xf32>, %table: tensor<8x40xf32>) -> tensor<16xf32> {
  %some = tensor.extract_slice %table[0, 0] [4, 4] [1, 1] : tensor<8x40xf32> to tensor<4x4xf32>
  %r = linalg.generic {indexing_maps = [affine_map<(m) -> (m)>], iterator_types = ["parallel"]}
      outs(%s : tensor<16xf32>) {
  ^bb0(%x: f32):
    %m = linalg.index 0 : index
    %c4 = arith.constant 4 : index
    %row = arith.divui %m, %c4 : index
    %column = arith.remui %m, %c4 : index
    // expected-error@below {{reads elements of a slice, of which vectors would read others; read the tensor that it is a slice of}}
    %y = tensor.extract %some[%row, %column] : tensor<4x4xf32>
    linalg.yield %y : f32
  } -> tensor<16xf32>
  return %r : tensor<16xf32>
}
