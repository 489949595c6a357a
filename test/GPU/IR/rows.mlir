// Which rows of tiles an iteration changes, and what rows a warp has.
//
// RUN: sparse-attn-opt %s | sparse-attn-opt | FileCheck %s

// CHECK-LABEL: func.func @rows
// CHECK-SAME:    %[[A:.*]]: i32, %[[B:.*]]: i32, %[[C:.*]]: i32
// CHECK:         sparse_attn_gpu.live_rows %[[A]] to %[[B]] full %[[C]] to %[[B]]
// CHECK:         %[[SOME:.*]] = sparse_attn_gpu.has_rows %[[A]] to %[[B]] of 128
// CHECK:         %[[OTHERS:.*]] = sparse_attn_gpu.has_other_rows %[[C]] to %[[B]] of 128
// CHECK:         return %[[SOME]], %[[OTHERS]]
func.func @rows(%a: i32, %b: i32, %c: i32) -> (i1, i1) {
  sparse_attn_gpu.live_rows %a to %b full %c to %b
  %some = sparse_attn_gpu.has_rows %a to %b of 128
  %others = sparse_attn_gpu.has_other_rows %c to %b of 128
  return %some, %others : i1, i1
}
