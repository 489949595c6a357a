// A segment with a condition ends where it begins where the condition does not
// hold; one that never holds is not there.
//
// RUN: sparse-attn-opt %s --sparse-attn-visit-tiles --canonicalize | FileCheck %s

!t = tensor<1x1x64x16xf32>

// CHECK-LABEL: func.func @when
// CHECK:         scf.forall (%{{.*}}, %{{.*}}, %[[Q:.*]]) in (1, 1, 4)
// CHECK:           %[[AMOUNT:.*]] = arith.addi %[[Q]], %c-1
// CHECK:           %[[WHEN:.*]] = arith.cmpi sgt, %[[AMOUNT]], %c0
// CHECK:           %[[END:.*]] = arith.select %[[WHEN]], %c2, %c1
// CHECK:           scf.for %{{.*}} = %c0 to %[[END]] step %c1
// CHECK-NOT:       mask
func.func @when(%q: !t) -> !t {
  %o = sparse_attn.attention mask(#sparse_attn.full)
      plan(<tile = [16, 32], rows = [<"0" to "64", segments = [
             <full "0" to "1">, <full "1" to "2" when "q - 1 > 0">, <partial "0" to "2" when "0 > 0">]>]>)
      ins(%q, %q, %q : !t, !t, !t) outs(%q : !t) -> !t
  return %o : !t
}
