// A tile of packed heads has one row of several heads of a group: its rows of Q are
// strided, and the mask sees one position.
//
// RUN: sparse-attn-opt %s --split-input-file --verify-diagnostics --sparse-attn-visit-tiles --canonicalize --cse | FileCheck %s

#plan = #sparse_attn.plan<tile = [1, 64], heads = 4, rows = [
    <"0" to "nq", segments = [<partial "0" to "(nk + 63) floordiv 64">]>]>
!q = tensor<2x12x3x32xf32>
!k = tensor<2x3x?x32xf32>
!l = tensor<2x12x3xf32>

// A group of four heads is a tile.
//
// CHECK-LABEL: func.func @whole_group
// CHECK-SAME:    %[[Q:[a-z0-9]+]]: tensor<2x12x3x32xf32>, %[[K:[a-z0-9]+]]: tensor<2x3x?x32xf32>
// CHECK:         %[[NK:.*]] = tensor.dim %[[K]], %c2
// CHECK:         %[[FIRST:.*]] = arith.subi %[[NK]], %c3
// CHECK:         scf.forall (%[[B:[a-z0-9]+]], %[[HK:[a-z0-9]+]], %[[R:[a-z0-9]+]]) in (2, 3, 3) shared_outs(%[[O:[a-z0-9]+]] = %{{.*}}, %[[L:[a-z0-9]+]] = %{{.*}})
// CHECK:           %[[H:.*]] = arith.muli %[[HK]], %c4
// CHECK:           %[[I:.*]] = arith.addi %[[R]], %[[FIRST]]
// CHECK:           %[[ROWS:.*]] = tensor.extract_slice %[[Q]][%[[B]], %[[H]], %[[R]], 0] [1, 4, 1, 32] [1, 1, 1, 1] : tensor<2x12x3x32xf32> to tensor<4x32xf32>
// CHECK:           scf.for
// CHECK:             %[[I32:.*]] = arith.index_cast %[[I]] : index to i32
// CHECK:             tensor.extract_slice %[[K]][%[[B]], %[[HK]],
// CHECK:             sparse_attn.step %{{.*}} ins(%[[ROWS]],
// CHECK:             ^bb0(%{{.*}}: i32, %[[J:.*]]: i32):
// CHECK:               %[[END:.*]] = arith.addi %[[I32]], %c1_i32
// CHECK:               arith.cmpi slt, %[[J]], %[[END]]
// CHECK:           tensor.extract_slice %[[O]][%[[B]], %[[H]], %[[R]], 0] [1, 4, 1, 32]
// CHECK:           tensor.extract_slice %[[L]][%[[B]], %[[H]], %[[R]]] [1, 4, 1] [1, 1, 1] : tensor<2x12x3xf32> to tensor<4xf32>
// CHECK:           sparse_attn.finish
// CHECK:           tensor.parallel_insert_slice %{{.*}} into %[[O]][%[[B]], %[[H]], %[[R]], 0] [1, 4, 1, 32]
// CHECK:           tensor.parallel_insert_slice %{{.*}} into %[[L]][%[[B]], %[[H]], %[[R]]] [1, 4, 1]
func.func @whole_group(%q: !q, %k: !k, %v: !k, %o: !q, %l: !l) -> (!q, !l) {
  %r:2 = sparse_attn.attention mask(#sparse_attn.causal) plan(#plan)
      ins(%q, %k, %v : !q, !k, !k) outs(%o, %l : !q, !l) -> !q, !l
  return %r#0, %r#1 : !q, !l
}

// -----

#plan = #sparse_attn.plan<tile = [1, 64], heads = 4, rows = [
    <"0" to "nq", segments = [<partial "0" to "(nk + 63) floordiv 64">]>]>
!q = tensor<1x?x1x32xf32>
!k = tensor<1x?x64x32xf32>

// A group of unknown size has tiles of which the last may have fewer heads.
//
// CHECK-LABEL: func.func @any_group
// CHECK:         %[[GROUP:.*]] = arith.index_castui %{{.*}} : i32 to index
// CHECK:         %[[UP:.*]] = arith.addi %[[GROUP]], %c3
// CHECK:         %[[TILES:.*]] = arith.floordivsi %[[UP]], %c4
// CHECK:         scf.forall
// CHECK:           %[[HK:.*]] = arith.divui %[[N:.*]], %[[TILES]]
// CHECK:           %[[PLACE:.*]] = arith.remui %[[N]], %[[TILES]]
// CHECK:           %[[FIRST:.*]] = arith.muli %[[PLACE]], %c4
// CHECK:           %[[BASE:.*]] = arith.muli %[[HK]], %[[GROUP]]
// CHECK:           %[[H:.*]] = arith.addi %[[BASE]], %[[FIRST]]
// CHECK:           %[[REST:.*]] = arith.subi %[[GROUP]], %[[FIRST]]
// CHECK:           %[[ROWS:.*]] = arith.minsi %[[REST]], %c4
// CHECK:           tensor.extract_slice %{{.*}}[0, %[[H]], 0, 0] [1, %[[ROWS]], 1, 32]
func.func @any_group(%q: !q, %k: !k, %v: !k, %o: !q) -> !q {
  %r = sparse_attn.attention mask(#sparse_attn.full) plan(#plan)
      ins(%q, %k, %v : !q, !k, !k) outs(%o : !q) -> !q
  return %r : !q
}

// -----

#plan = #sparse_attn.plan<tile = [1, 64], heads = 2, rows = [
    <"0" to "nq", segments = [<partial "0" to "(nk + 63) floordiv 64">]>]>
!q = tensor<1x4x1x32xf32>
!k = tensor<1x2x64x32xf32>

func.func @each_head_its_own(%q: !q, %k: !k, %v: !k, %o: !q) -> !q {
  // expected-error@below {{cannot have tiles of several heads, of which its mask is not known to be the same; leave the plan out to have one made}}
  %r = sparse_attn.attention mask(#sparse_attn.random<block = 16, blocks_per_row = 2>) plan(#plan)
      ins(%q, %k, %v : !q, !k, !k) outs(%o : !q) -> !q
  return %r : !q
}
