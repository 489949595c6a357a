// A folded part is one grid with the tiles of all residues, whose rows and keys stand a step
// apart. Parts before the last store their states, and the last one merges its own with these.
//
// RUN: sparse-attn-opt %s --sparse-attn-visit-tiles --canonicalize --cse | FileCheck %s
!t = tensor<1x1x128x16xf32>
!d = tensor<1x1x?x16xf32>

// Four residues of two tiles: positions, of which masks speak, are numbers of a residue.
// CHECK-LABEL: func.func @folded
// CHECK:         scf.forall (%{{.*}}, %{{.*}}, %[[ID:.*]]) in (1, 1, 8) shared_outs(%[[OUT:.*]] = %{{.*}})
// CHECK-DAG:       %[[RESIDUE:.*]] = arith.divui %[[ID]], %c2
// CHECK-DAG:       %[[TILE:.*]] = arith.remui %[[ID]], %c2
// CHECK-DAG:       %[[NUMBER:.*]] = arith.muli %[[TILE]], %c16
// CHECK-DAG:       %[[APART:.*]] = arith.muli %[[TILE]], %c64
// CHECK-DAG:       %[[ROW:.*]] = arith.addi %[[RESIDUE]], %[[APART]]
// CHECK:           %[[Q:.*]] = tensor.extract_slice %{{.*}}[0, 0, %[[ROW]], 0] [1, 1, 16, 16] [1, 1, 4, 1]
// CHECK:           scf.for
// CHECK:             %[[KEY:.*]] = arith.muli %[[KT:.*]], %c16
// CHECK:             %[[KEYS:.*]] = arith.muli %[[KT]], %c64
// CHECK:             %[[AT:.*]] = arith.addi %[[RESIDUE]], %[[KEYS]]
// CHECK:             %[[K:.*]] = tensor.extract_slice %{{.*}}[0, 0, %[[AT]], 0] [1, 1, 16, 16] [1, 1, 4, 1]
// CHECK:             sparse_attn.step %{{.*}} ins(%[[Q]], %[[K]], %{{.*}}) at(%[[NUMBER]], %[[KEY]]) keys(16)
// CHECK:           %[[PLACE:.*]] = tensor.extract_slice %[[OUT]][0, 0, %[[ROW]], 0] [1, 1, 16, 16] [1, 1, 4, 1]
// CHECK:           sparse_attn.finish %{{.*}} outs(%[[PLACE]]
// CHECK:           tensor.parallel_insert_slice %{{.*}} into %[[OUT]][0, 0, %[[ROW]], 0] [1, 1, 16, 16] [1, 1, 4, 1]
func.func @folded(%q: !t, %k: !t, %v: !t) -> !t {
  %o = sparse_attn.attention mask(#sparse_attn.sliding_window<left = 16, right = 0, dilation = 4>)
      plan(<parts = [<step = 4, pairs = "j >= i - 16 and j < i + 1", tile = [16, 16], rows = [
             <"0" to "nq", segments = [<partial "max(0, q - 1)" to "q + 1">]>]>]>)
      ins(%q, %k, %v : !t, !t, !t) outs(%q : !t) -> !t
  return %o : !t
}

// Where lengths are not known, the residue of a tile's rows is computed from their position, and
// tiles that a residue has not have no rows and visit no keys.
// CHECK-LABEL: func.func @unknown
// CHECK-DAG:     %[[SHIFT:.*]] = arith.subi %[[SK:.*]], %[[SQ:.*]] : index
// CHECK:         scf.forall (%{{.*}}, %{{.*}}, %[[ID:.*]]) in (1, 1, %{{.*}})
// CHECK:           %[[FIRST:.*]] = arith.divui %[[ID]], %[[TILES:.*]] : index
// CHECK:           %[[POSITION:.*]] = arith.addi %[[FIRST]], %[[SHIFT]]
// CHECK:           %[[WHOLE:.*]] = arith.floordivsi %[[POSITION]], %c4
// CHECK:           %[[STEPS:.*]] = arith.muli %[[WHOLE]], %c4
// CHECK:           %[[RESIDUE:.*]] = arith.subi %[[POSITION]], %[[STEPS]]
// CHECK:           %[[LEFT:.*]] = arith.subi %[[SK]], %[[RESIDUE]]
// CHECK:           %[[UP:.*]] = arith.addi %[[LEFT]], %c3
// CHECK:           %[[NK:.*]] = arith.floordivsi %[[UP]], %c4
// CHECK:           %[[ROWS:.*]] = arith.maxsi %{{.*}}, %c0
// CHECK:           %[[HASROWS:.*]] = arith.cmpi sgt, %[[ROWS]], %c0
// CHECK:           %[[END:.*]] = arith.select %[[HASROWS]], %{{.*}}, %c0
// CHECK:           scf.for %{{.*}} = %c0 to %[[END]]
// CHECK:             sparse_attn.step {{.*}} mask {
// CHECK:               arith.cmpi slt, %{{.*}}, %{{.*}} : i32
func.func @unknown(%q: !d, %k: !d, %v: !d) -> !d {
  %o = sparse_attn.attention mask(#sparse_attn.strided<stride = 4>)
      plan(<parts = [<step = 4, pairs = "all", tile = [16, 16], rows = [
             <"0" to "nq", segments = [<partial "0" to "(nk + 15) floordiv 16">]>]>]>)
      ins(%q, %k, %v : !d, !d, !d) outs(%q : !d) -> !d
  return %o : !d
}

// A partial segment that names no pairs has those of its part, not the mask's.
// CHECK-LABEL: func.func @chain
// CHECK:         %[[STATES:.*]]:3 = scf.forall {{.*}} -> (tensor<1x1x1x128xf32>, tensor<1x1x1x128xf32>, tensor<1x1x1x128x16xf32>)
// CHECK:           sparse_attn.step {{.*}} mask {
// CHECK-NEXT:      ^bb0(%{{.*}}: i32, %[[J:.*]]: i32):
// CHECK-NEXT:        %[[D:.*]] = arith.subi %[[J]], %c1_i32
// CHECK-NEXT:        arith.cmpi ult, %[[D]], %c31_i32
// CHECK:           %[[M:.*]] = tensor.extract_slice %{{.*}}[0, 0, 0, %{{.*}}] [1, 1, 1, 16] [1, 1, 1, 4]
// CHECK:           sparse_attn.store_state %{{.*}} outs(%[[M]],
// CHECK:         scf.forall {{.*}} in (1, 1, 4)
// CHECK:           %[[OWN:.*]] = sparse_attn.step
// CHECK:           %[[MS:.*]] = tensor.extract_slice %[[STATES]]#0[0, 0, 0, %{{.*}}] [1, 1, 1, 32] [1, 1, 1, 1] : tensor<1x1x1x128xf32> to tensor<1x32xf32>
// CHECK:           %[[OTHERS:.*]] = sparse_attn.merge_stored %[[MS]], %{{.*}}, %{{.*}}[] scale(2.500000e-01)
// CHECK:           %[[ALL:.*]] = sparse_attn.merge_states %[[OWN]], %[[OTHERS]] scale(2.500000e-01)
// CHECK:           sparse_attn.finish %[[ALL]]
func.func @chain(%q: !t, %k: !t, %v: !t) -> !t {
  %o = sparse_attn.attention mask(#sparse_attn.union<#sparse_attn.strided<stride = 4>, #sparse_attn.prefix<length = 4>>)
      plan(<parts = [<step = 4, pairs = "j >= 1", tile = [16, 16], rows = [
             <"0" to "nq", segments = [<partial "0" to "2">]>]>,
            <pairs = "j < 4", tile = [32, 16], rows = [<"0" to "nq", segments = [<partial "0" to "1">]>]>]>)
      ins(%q, %k, %v : !t, !t, !t) outs(%q : !t) -> !t
  return %o : !t
}
