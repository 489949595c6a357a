// Queries of rows that a layout names are gathered, and masks ask at their positions. Results
// are made for slots, and a last grid brings each to its row; a slot that is none is left out.
//
// RUN: sparse-attn-opt %s --sparse-attn-visit-tiles=heavy-splits=2 --canonicalize --cse | FileCheck %s

!t = tensor<1x2x64x16xf32>
!l = tensor<1x2x64xf32>
!d = tensor<1x2x?x16xf32>

// The parts of a split class, the merge of which is for 8 slots of 2 tiles, of which 6 are rows.
// CHECK-LABEL: func.func @list
// CHECK-SAME:    %[[Q:[a-z0-9]+]]: tensor<1x2x64x16xf32>
// CHECK-DAG:     %[[ROWS:.*]] = arith.constant dense<[5, 6, 40, 41, 50, 51]> : tensor<6xi32>
// CHECK-DAG:     %[[PADDED:.*]] = arith.constant dense<[5, 6, 40, 41, 50, 51, 1073741824, 1073741824, 1073741824, 1073741824]> : tensor<10xi32>
// CHECK:         %[[PARTS:.*]]:3 = scf.forall (%{{.*}}, %[[H:.*]], %[[T:.*]], %{{.*}}) in (1, 2, 2, 2)
// CHECK:           %[[SLOT:.*]] = arith.muli %[[T]], %c4
// CHECK:           %[[FIRST:.*]] = arith.minsi %[[SLOT]], %c6
// CHECK:           %[[AT:.*]] = tensor.extract_slice %[[PADDED]][%[[FIRST]]] [4] [1]
// CHECK:           %[[TILE:.*]] = sparse_attn.gather_rows %[[Q]][%c0, %[[H]]] at %[[AT]] : tensor<1x2x64x16xf32>, tensor<4xi32> -> tensor<4x16xf32>
// CHECK:           sparse_attn.step %{{.*}} ins(%[[TILE]], {{.*}} at(%[[AT]] : tensor<4xi32>, %{{.*}}) keys(16)
// CHECK:         %[[ORDINARY:.*]]:2 = scf.forall
// CHECK:         %[[RESULTS:.*]]:2 = scf.forall (%{{.*}}, %{{.*}}, %[[T:.*]]) in (1, 2, 2) {{.*}} -> (tensor<1x2x8x16xf32>, tensor<1x2x8xf32>)
// CHECK:           sparse_attn.merge_stored %[[PARTS]]#0
// CHECK:         scf.forall (%{{.*}}, %[[H:.*]], %[[X:.*]]) in (1, 2, 6) shared_outs(%[[OUT:.*]] = %[[ORDINARY]]#0, %[[LSE:.*]] = %[[ORDINARY]]#1)
// CHECK:           %[[I:.*]] = tensor.extract %[[ROWS]][%[[X]]]
// CHECK:           %[[ROW:.*]] = arith.index_cast %[[I]]
// CHECK:           %[[FROM:.*]] = tensor.extract_slice %[[RESULTS]]#0[0, %[[H]], %[[X]], 0] [1, 1, 1, 16]
// CHECK:           %[[TO:.*]] = tensor.extract_slice %[[OUT]][0, %[[H]], %[[ROW]], 0] [1, 1, 1, 16]
// CHECK:           %[[COPY:.*]] = linalg.copy ins(%[[FROM]] : {{.*}}) outs(%[[TO]] : {{.*}})
// CHECK:           tensor.parallel_insert_slice %[[COPY]] into %[[OUT]][0, %[[H]], %[[ROW]], 0] [1, 1, 1, 16]
// CHECK:           tensor.parallel_insert_slice %{{.*}} into %[[LSE]][0, %[[H]], %[[ROW]]] [1, 1, 1]
func.func @list(%q: !t, %l: !l) -> (!t, !l) {
  %o:2 = sparse_attn.attention mask(#sparse_attn.global<tokens = [5, 6, 40, 41, 50, 51], direction = rows>)
      plan(<tile = [16, 16], rows = [<"0" to "64">,
             <"0" to "6" of list<[5, 40, 50], width = 2, tile = 4>, heavy = true, segments = [<full "0" to "4">]>]>)
      ins(%q, %q, %q : !t, !t, !t) outs(%q, %l : !t, !l) -> !t, !l
  return %o#0, %o#1 : !t, !l
}

// Where row 0 stands is known when the function runs, and so is which slots are rows.
// CHECK-LABEL: func.func @lattice
// CHECK-SAME:    %[[Q:[a-z0-9]+]]: tensor<1x2x?x16xf32>
// CHECK:         %[[NQ:.*]] = tensor.dim %[[Q]]
// CHECK:         %[[SHIFT:.*]] = arith.subi %{{.*}}, %[[NQ]]
// CHECK:         %[[RESULTS:.*]] = scf.forall
// CHECK:           %[[AT:.*]] = linalg.generic {{.*}} outs(%{{.*}} : tensor<4xi32>)
// CHECK:           %[[ROWS:.*]] = linalg.generic {{.*}} ins(%[[AT]] : tensor<4xi32>)
// CHECK:             arith.subi
// CHECK:             arith.maxsi
// CHECK:           sparse_attn.gather_rows %[[Q]][%{{.*}}, %{{.*}}] at %[[ROWS]]
// CHECK:           sparse_attn.step {{.*}} at(%[[AT]] : tensor<4xi32>, %{{.*}}) keys(16) {{.*}} mask {
// CHECK:         scf.forall
// CHECK:           %[[ROW:.*]] = arith.subi %{{.*}}, %[[SHIFT]]
// CHECK:           %[[NONE_BEFORE:.*]] = arith.maxsi %[[ROW]], %c0
// CHECK:           %[[INSIDE:.*]] = arith.minsi %[[NONE_BEFORE]]
// CHECK:           %[[EXISTS:.*]] = arith.cmpi eq, %[[ROW]], %[[INSIDE]]
// CHECK:           %[[COUNT:.*]] = arith.select %[[EXISTS]], %c1, %c0
// CHECK:           tensor.parallel_insert_slice %{{.*}} into %{{.*}}[0, %{{.*}}, %[[INSIDE]], 0] [1, 1, %[[COUNT]], 16]
func.func @lattice(%q: !d, %k: !d) -> !d {
  %o = sparse_attn.attention mask(#sparse_attn.intersection<#sparse_attn.causal, #sparse_attn.periodic_rows<period = 8, last = 2>>)
      plan(<tile = [16, 16], rows = [
             <"0" to "nk floordiv 4" of lattice<step = 8, width = 2, shift = 6, tile = 4>, segments = [
               <partial "0" to "(nk + 15) floordiv 16" where "j < i + 1">]>]>)
      ins(%q, %k, %k : !d, !d, !d) outs(%q : !d) -> !d
  return %o : !d
}
