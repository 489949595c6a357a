// What runs slower than it might says so, where it stands.
//
// RUN: sparse-attn-opt %s --sparse-attn-tile-registers="lanes=16" --verify-diagnostics -o /dev/null
//
// In a whole kernel it is the attention op that the remark is at.
// RUN: sparse-attn-opt %s --sparse-attn-cpu-pipeline="tile-queries=33" -o /dev/null 2>&1 | FileCheck %s
// CHECK: tile-registers-remarks.mlir:[[# @LINE + 9]]:8: remark: uses 1 of the 16 lanes of a vector for tiles of 33 queries; choose tile-queries as a multiple of 16
// CHECK-NOT: [[# @LINE + 8]]:8: remark: uses
//
// RUN: sparse-attn-opt %s --sparse-attn-cpu-pipeline="tile-queries=48" -o /dev/null 2>&1 | FileCheck %s --check-prefix=WIDE
// WIDE-NOT: remark: uses

func.func @attention(%q: tensor<1x1x99x16xf32>) -> tensor<1x1x99x16xf32> {
  %init = tensor.empty() : tensor<1x1x99x16xf32>

  %o = sparse_attn.attention mask(#sparse_attn.causal)
      ins(%q, %q, %q : tensor<1x1x99x16xf32>, tensor<1x1x99x16xf32>, tensor<1x1x99x16xf32>)
      outs(%init : tensor<1x1x99x16xf32>) -> tensor<1x1x99x16xf32>
  return %o : tensor<1x1x99x16xf32>
}

func.func @unknown(%x: tensor<?xf32>) -> tensor<?xf32> {
  // expected-remark@below {{runs as scalar loops, since no parallel dimension of it has a known size; give its tensors static shapes, or leave it to a pass before this one}}
  %y = linalg.generic {indexing_maps = [affine_map<(d0) -> (d0)>], iterator_types = ["parallel"]}
      outs(%x : tensor<?xf32>) {
  ^bb0(%a: f32):
    %b = arith.addf %a, %a : f32
    linalg.yield %b : f32
  } -> tensor<?xf32>
  return %y : tensor<?xf32>
}

func.func @declined(%x: tensor<64xf32>, %a: memref<f32>) -> tensor<64xf32> {
  // expected-remark@below {{runs as scalar loops, since the vectoriser takes no such op; write it as linalg.generic on elements, or leave it to a pass before this one}}
  %y = linalg.generic {indexing_maps = [affine_map<(d0) -> (d0)>], iterator_types = ["parallel"]}
      outs(%x : tensor<64xf32>) {
  ^bb0(%b: f32):
    %c = memref.load %a[] : memref<f32>
    linalg.yield %c : f32
  } -> tensor<64xf32>
  return %y : tensor<64xf32>
}

// Elements of a slice are apart, which a gather does not know.
func.func @slice(%x: tensor<64xf32>, %table: tensor<8x40xf32>) -> tensor<64xf32> {
  %some = tensor.extract_slice %table[0, 0] [8, 8] [1, 1] : tensor<8x40xf32> to tensor<8x8xf32>
  // expected-remark@below {{runs as scalar loops, since it reads elements of a slice (tensor.extract), of which vectors would read others; read the tensor that it is a slice of}}
  %y = linalg.generic {indexing_maps = [affine_map<(d0) -> (d0)>], iterator_types = ["parallel"]}
      outs(%x : tensor<64xf32>) {
  ^bb0(%a: f32):
    %i = linalg.index 0 : index
    %c8 = arith.constant 8 : index
    %row = arith.divui %i, %c8 : index
    %column = arith.remui %i, %c8 : index
    %b = tensor.extract %some[%row, %column] : tensor<8x8xf32>
    linalg.yield %b : f32
  } -> tensor<64xf32>
  return %y : tensor<64xf32>
}

// A vector of i1 is written as bits, and its elements are read as bytes.
func.func @bits(%x: tensor<64xi1>, %y: tensor<64xf32>) -> tensor<64xi1> {
  // expected-remark@below {{runs as scalar loops, since it has tensors of i1, which vectors write as bits and all else reads as bytes; use tensors of i8}}
  %z = linalg.generic {indexing_maps = [affine_map<(d0) -> (d0)>, affine_map<(d0) -> (d0)>], iterator_types = ["parallel"]}
      ins(%y : tensor<64xf32>) outs(%x : tensor<64xi1>) {
  ^bb0(%a: f32, %b: i1):
    %c0 = arith.constant 0.0 : f32
    %c = arith.cmpf olt, %a, %c0 : f32
    linalg.yield %c : i1
  } -> tensor<64xi1>
  return %z : tensor<64xi1>
}

// Those of whole rows are not.
func.func @rows(%x: tensor<64xf32>, %table: tensor<8x40xf32>) -> tensor<64xf32> {
  %some = tensor.extract_slice %table[2, 0] [4, 40] [1, 1] : tensor<8x40xf32> to tensor<4x40xf32>
  %y = linalg.generic {indexing_maps = [affine_map<(d0) -> (d0)>], iterator_types = ["parallel"]}
      outs(%x : tensor<64xf32>) {
  ^bb0(%a: f32):
    %i = linalg.index 0 : index
    %c40 = arith.constant 40 : index
    %row = arith.divui %i, %c40 : index
    %column = arith.remui %i, %c40 : index
    %b = tensor.extract %some[%row, %column] : tensor<4x40xf32>
    linalg.yield %b : f32
  } -> tensor<64xf32>
  return %y : tensor<64xf32>
}

// A number has no lanes.
func.func @number(%x: tensor<64xf32>, %y: tensor<f32>) -> tensor<f32> {
  %z = linalg.generic {indexing_maps = [affine_map<(d0) -> (d0)>, affine_map<(d0) -> ()>],
                       iterator_types = ["reduction"]}
      ins(%x : tensor<64xf32>) outs(%y : tensor<f32>) {
  ^bb0(%a: f32, %b: f32):
    %c = arith.addf %a, %b : f32
    linalg.yield %c : f32
  } -> tensor<f32>
  return %z : tensor<f32>
}
