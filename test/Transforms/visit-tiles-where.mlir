// Segments that name their live pairs have a loop for each of what they name, and evaluate
// no more than that; the window's edges are apart.
//
// RUN: sparse-attn-opt %s --sparse-attn-visit-tiles --canonicalize | FileCheck %s

!t = tensor<1x1x64x16xf32>

// CHECK-LABEL: func.func @window
// CHECK:         scf.for
// CHECK:           sparse_attn.step {{.*}} mask {
// CHECK-NEXT:      ^bb0(%[[I:.*]]: i32, %[[J:.*]]: i32):
// CHECK-NEXT:        %[[LOW:.*]] = arith.addi %[[I]], %c-32_i32
// CHECK-NEXT:        %[[LIVE:.*]] = arith.cmpi sge, %[[J]], %[[LOW]]
// CHECK-NEXT:        sparse_attn.yield %[[LIVE]]
// CHECK:         scf.for
// CHECK:           sparse_attn.step {{.*}} mask {
// CHECK-NEXT:      ^bb0(%[[I:.*]]: i32, %[[J:.*]]: i32):
// CHECK-NEXT:        %[[HIGH:.*]] = arith.addi %[[I]], %c1_i32
// CHECK-NEXT:        %[[LIVE:.*]] = arith.cmpi slt, %[[J]], %[[HIGH]]
// CHECK-NEXT:        sparse_attn.yield %[[LIVE]]
// CHECK:         scf.for
// CHECK-NOT:       mask
func.func @window(%q: !t) -> !t {
  %o = sparse_attn.attention mask(#sparse_attn.sliding_window<left = 32, right = 0>)
      plan(<tile = [16, 16], rows = [<"0" to "64", segments = [
             <partial "max(0, q - 2)" to "max(0, q - 1)" where "j >= i - 32">,
             <full "max(0, q - 1)" to "q">,
             <partial "q" to "q + 1" where "j < i + 1">]>]>)
      ins(%q, %q, %q : !t, !t, !t) outs(%q : !t) -> !t
  return %o : !t
}
