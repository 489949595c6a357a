// A soft cap c is the score region of every step, which computes tanh of scores
// that have the division by c in their scale. What the region yields is scaled, so
// that what follows the steps, `finish` and merges of states, has scale(1.0).
//
// RUN: sparse-attn-opt %s --sparse-attn-plan="tile-queries=16 tile-keys=16" --sparse-attn-visit-tiles --canonicalize \
// RUN:   | FileCheck %s

!t = tensor<1x4x64x16xf32>

// CHECK-LABEL: func.func @causal
// CHECK:         %[[CAP:.*]] = arith.constant 5.000000e+00 : f32
// CHECK:         scf.forall (%[[B:[a-z0-9]+]], %[[H:[a-z0-9]+]], %{{.*}}) in (1, 4, 4)
// CHECK-COUNT-2:   sparse_attn.step {{.*}} scale(5.000000e-02) {{.*}}score(%{{.*}}, %[[H]]) {
// CHECK:           ^bb0(%[[S:.*]]: f32, %{{.*}}: index, %{{.*}}: index, %{{.*}}: i32, %{{.*}}: i32):
// CHECK-NEXT:        %[[TANH:.*]] = math.tanh %[[S]] fastmath<afn> : f32
// CHECK-NEXT:        %[[CAPPED:.*]] = arith.mulf %[[TANH]], %[[CAP]] : f32
// CHECK-NEXT:        sparse_attn.yield %[[CAPPED]] : f32
// CHECK-NEXT:      } : <16x16xf32>
// CHECK:           sparse_attn.finish %{{.*}} scale(1.000000e+00)
func.func @causal(%q: !t, %k: !t, %v: !t, %init: !t) -> !t {
  %o = sparse_attn.attention mask(#sparse_attn.causal) softcap(5.0) ins(%q, %k, %v : !t, !t, !t) outs(%init : !t) -> !t
  return %o : !t
}

// CHECK-LABEL: func.func @parts
// CHECK:         sparse_attn.merge_states %{{.*}} scale(1.000000e+00)
// CHECK-NOT:     scale(2.500000e-01)
func.func @parts(%q: !t, %k: !t, %v: !t, %init: !t) -> !t {
  %o = sparse_attn.attention mask(#sparse_attn.sparse_transformer_strided<stride = 8>) softcap(5.0)
      plan(<offset_multiple = 0, parts = [
        <step = 1, pairs = "j >= i - 7", tile = [16, 16], rows = [<"0" to "nq", segments = [<partial "0" to "q + 1">]>]>,
        <step = 8, pairs = "j < i - 7", tile = [16, 16], rows = [<"0" to "nq", segments = [<partial "0" to "q + 1">]>]>]>)
      ins(%q, %k, %v : !t, !t, !t) outs(%init : !t) -> !t
  return %o : !t
}
