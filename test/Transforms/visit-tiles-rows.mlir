// Queries of rows that a layout names are gathered, masks ask at their positions, and results
// are scattered to them; a slot that is no row is computed as the nearest one, and left out.
//
// RUN: sparse-attn-opt %s --sparse-attn-visit-tiles=heavy-splits=2 --canonicalize --cse | FileCheck %s
// RUN: sparse-attn-opt %s --sparse-attn-tile-to-linalg --canonicalize --cse | FileCheck %s --check-prefix=LINALG

!t = tensor<1x2x64x16xf32>
!l = tensor<1x2x64xf32>
!d = tensor<1x2x?x16xf32>

// The parts of a split class, and their merge, in 2 tiles of 4 slots, of which 6 are rows.
// CHECK-LABEL: func.func @list
// CHECK-SAME:    %[[Q:[a-z0-9]+]]: tensor<1x2x64x16xf32>
// CHECK-DAG:     %[[PADDED:.*]] = arith.constant dense<[5, 6, 40, 41, 50, 51, 1073741824, 1073741824, 1073741824, 1073741824]> : tensor<10xi32>
// CHECK-DAG:     %[[NONE:.*]] = arith.constant -1 : i32
// CHECK:         %[[PARTS:.*]]:3 = scf.forall (%{{.*}}, %[[H:.*]], %[[T:.*]], %{{.*}}) in (1, 2, 2, 2)
// CHECK:           %[[SLOT:.*]] = arith.muli %[[T]], %c4
// CHECK:           %[[FIRST:.*]] = arith.minsi %[[SLOT]], %c6
// CHECK:           %[[SLOTS:.*]] = tensor.extract_slice %[[PADDED]][%[[FIRST]]] [4] [1]
// CHECK:           %[[AT:.*]] = linalg.generic {{.*}} ins(%[[SLOTS]] : tensor<4xi32>)
// CHECK:             arith.maxsi %{{.*}}, %c0_i32
// CHECK:             arith.minsi %{{.*}}, %c63_i32
// CHECK:           %[[TILE:.*]] = sparse_attn.gather_rows %[[Q]][%c0, %[[H]]] at %[[AT]] : tensor<1x2x64x16xf32>, tensor<4xi32> -> tensor<4x16xf32>
// CHECK:           sparse_attn.step %{{.*}} ins(%[[TILE]], {{.*}} at(%[[AT]] : tensor<4xi32>, %{{.*}}) keys(16)
// CHECK:         %[[ORDINARY:.*]]:2 = scf.forall
// CHECK:         scf.forall (%{{.*}}, %[[H:.*]], %[[T:.*]]) in (1, 2, 2) shared_outs(%[[OUT:.*]] = %[[ORDINARY]]#0, %[[LSE:.*]] = %[[ORDINARY]]#1)
// CHECK:           %[[SLOT:.*]] = arith.muli %[[T]], %c4
// CHECK:           %[[SLOTS:.*]] = tensor.extract_slice %[[PADDED]][%{{.*}}] [4] [1]
// CHECK:           %[[LEFT:.*]] = arith.subi %c6, %[[SLOT]]
// CHECK:           %[[COUNT:.*]] = arith.index_cast %[[LEFT]]
// CHECK:           %[[ROWS:.*]] = linalg.generic {{.*}} ins(%[[SLOTS]] : tensor<4xi32>)
// CHECK:             %[[IS:.*]] = arith.cmpi slt, %{{.*}}, %[[COUNT]]
// CHECK:             arith.select %[[IS]], %{{.*}}, %[[NONE]]
// CHECK:           sparse_attn.merge_stored %[[PARTS]]#0
// CHECK:           %[[O:.*]], %[[L:.*]] = sparse_attn.finish {{.*}} outs(%{{.*}} : tensor<4x16xf32>, %{{.*}} : tensor<4xf32>)
// CHECK:           sparse_attn.scatter_rows %[[O]] into %[[OUT]][%c0, %[[H]]] at %[[ROWS]] : tensor<4x16xf32>, tensor<4xi32> into tensor<1x2x64x16xf32>
// CHECK:           sparse_attn.scatter_rows %[[L]] into %[[LSE]][%c0, %[[H]]] at %[[ROWS]] : tensor<4xf32>, tensor<4xi32> into tensor<1x2x64xf32>
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
// CHECK:         scf.forall (%{{.*}}, %[[H:.*]], %[[T:.*]]) in (1, 2, %{{.*}}) shared_outs(%[[OUT:.*]] = %{{.*}})
// CHECK:           %[[SLOTS:.*]] = linalg.generic {{.*}} outs(%{{.*}} : tensor<4xi32>)
// CHECK-DAG:       %[[F:.*]] = arith.index_cast %[[SHIFT]]
// CHECK-DAG:       %[[N:.*]] = arith.index_cast %[[NQ]]
// CHECK:           %[[END:.*]] = arith.addi %[[F]], %[[N]]
// CHECK:           %[[LAST:.*]] = arith.subi %[[END]], %c1_i32
// CHECK:           %[[AT:.*]] = linalg.generic {{.*}} ins(%[[SLOTS]] : tensor<4xi32>)
// CHECK:             arith.maxsi %{{.*}}, %[[F]]
// CHECK:             arith.minsi %{{.*}}, %[[LAST]]
// CHECK:           %[[FROM:.*]] = linalg.generic {{.*}} ins(%[[AT]] : tensor<4xi32>)
// CHECK:             arith.subi %{{.*}}, %[[F]]
// CHECK:           %[[TO:.*]] = linalg.generic {{.*}} ins(%[[SLOTS]] : tensor<4xi32>)
// CHECK:             arith.subi %{{.*}}, %[[F]]
// CHECK:           sparse_attn.gather_rows %[[Q]][%{{.*}}, %[[H]]] at %[[FROM]]
// CHECK:           sparse_attn.step {{.*}} at(%[[AT]] : tensor<4xi32>, %{{.*}}) keys(16) {{.*}} mask {
// CHECK:           sparse_attn.scatter_rows %{{.*}} into %[[OUT]][%{{.*}}, %[[H]]] at %[[TO]]
//
// For back ends that are not ours each row of a tile is inserted by itself, if it is one.
// LINALG-LABEL: func.func @lattice
// LINALG-NOT:     sparse_attn.scatter_rows
// LINALG:         %[[I:.*]] = tensor.extract %[[ROWS:.*]][%c3] : tensor<4xi32>
// LINALG:         %[[ROW:.*]] = arith.index_cast %[[I]]
// LINALG:         %[[INSIDE:.*]] = arith.minsi
// LINALG:         %[[EXISTS:.*]] = arith.cmpi eq, %[[ROW]], %[[INSIDE]]
// LINALG:         %[[COUNT:.*]] = arith.select %[[EXISTS]], %c1, %c0
// LINALG:         %[[LINE:.*]] = tensor.extract_slice %{{.*}}[3, 0] [%[[COUNT]], 16]
// LINALG:         scf.forall.in_parallel
// LINALG-COUNT-3:   tensor.parallel_insert_slice
// LINALG:           tensor.parallel_insert_slice %[[LINE]] into %{{.*}}[0, %{{.*}}, %[[INSIDE]], 0] [1, 1, %[[COUNT]], 16]
func.func @lattice(%q: !d, %k: !d) -> !d {
  %o = sparse_attn.attention mask(#sparse_attn.intersection<#sparse_attn.causal, #sparse_attn.periodic_rows<period = 8, last = 2>>)
      plan(<tile = [16, 16], rows = [
             <"0" to "nk floordiv 4" of lattice<step = 8, width = 2, shift = 6, tile = 4>, segments = [
               <partial "0" to "(nk + 15) floordiv 16" where "j < i + 1">]>]>)
      ins(%q, %k, %k : !d, !d, !d) outs(%q : !d) -> !d
  return %o : !d
}

// Tiles that lie in one run are of neighbours, which may begin behind the first slot.
// CHECK-LABEL: func.func @runs
// CHECK-SAME:    %[[Q:[a-z0-9]+]]: tensor<1x2x?x16xf32>
// CHECK:         %[[NQ:.*]] = tensor.dim %[[Q]]
// CHECK:         %[[SHIFT:.*]] = arith.subi %{{.*}}, %[[NQ]]
// CHECK:         scf.forall (%{{.*}}, %[[H:.*]], %[[T:.*]]) in (1, 2, %{{.*}})
// CHECK:           %[[SLOT:.*]] = arith.muli %[[T]], %c4
// CHECK:           %[[NUMBER:.*]] = arith.divui %[[SLOT]], %c8
// CHECK:           %[[FIRST:.*]] = arith.subi %{{.*}}, %[[SHIFT]]
// CHECK:           %[[BEGIN:.*]] = arith.maxsi %[[FIRST]], %c0
// CHECK:           %[[ROW:.*]] = arith.select %{{.*}}, %[[BEGIN]], %[[NQ]]
// CHECK:           %[[POSITION:.*]] = arith.addi %[[ROW]], %[[SHIFT]]
// CHECK:           tensor.extract_slice %[[Q]][0, %[[H]], %[[ROW]], 0]
// CHECK:           sparse_attn.step {{.*}} at(%[[POSITION]], %{{.*}}) keys(16)
// CHECK:           tensor.parallel_insert_slice %{{.*}} into %{{.*}}[0, %[[H]], %[[ROW]], 0]
func.func @runs(%q: !d, %k: !d) -> !d {
  %o = sparse_attn.attention mask(#sparse_attn.intersection<#sparse_attn.causal, #sparse_attn.periodic_rows<period = 16, last = 8>>)
      plan(<tile = [16, 16], rows = [
             <"0" to "nk floordiv 16 * 8 + 8" of lattice<step = 16, width = 8, shift = 8, tile = 4>, segments = [
               <partial "0" to "(nk + 15) floordiv 16" where "j < i + 1">]>]>)
      ins(%q, %k, %k : !d, !d, !d) outs(%q : !d) -> !d
  return %o : !d
}
