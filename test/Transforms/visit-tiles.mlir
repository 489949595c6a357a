// Loops over the tiles of a plan with a step inside: no element type, orientation or
// target in it, and a mask in partial tiles only.
//
// RUN: sparse-attn-opt %s --sparse-attn-visit-tiles=heavy-splits=4 --canonicalize | FileCheck %s

// CHECK-LABEL: func.func @causal
// CHECK-SAME:    %[[Q:[a-z0-9]+]]: tensor<1x4x64x16xf32>, %[[K:[a-z0-9]+]]: tensor<1x2x128x16xf32>, %[[V:[a-z0-9]+]]: tensor<1x2x128x24xf32>
// CHECK:         scf.forall (%{{.*}}, %[[H:.*]], %[[T:.*]]) in (1, 4, 4) shared_outs(%[[O:.*]] = %{{.*}}, %[[L:.*]] = %{{.*}})
// CHECK:           %[[H32:.*]] = arith.index_castui %[[H]] : index to i32
// CHECK:           %[[HK32:.*]] = arith.divui %[[H32]], %c2_i32
// CHECK:           %[[HK:.*]] = arith.index_castui %[[HK32]]
// CHECK:           %[[ROW:.*]] = arith.muli %[[T]], %c16
// CHECK:           %[[POSITION:.*]] = arith.addi %[[ROW]], %c64
// CHECK:           %[[QT:.*]] = tensor.extract_slice %[[Q]][0, %[[H]], %[[ROW]], 0] [1, 1, 16, 16]
// CHECK:           %[[S:.*]] = sparse_attn.initial_state : <16x24xf32>
// CHECK:           %[[P:.*]] = scf.for {{.*}} iter_args(%[[PS:.*]] = %[[S]]) -> (!sparse_attn.state<16x24xf32>)
// CHECK:             %[[J:.*]] = arith.index_cast %[[KEY:.*]] : index to i32
// CHECK:             %[[LAST:.*]] = arith.addi %[[J]], %c31_i32
// CHECK:             %[[EXIST:.*]] = arith.cmpi slt, %[[LAST]], %c128_i32
// CHECK:             %[[FULL:.*]] = arith.select %[[EXIST]], %{{.*}}, %c1073741824_i32
// CHECK:             %[[FULLEND:.*]] = arith.select %[[EXIST]], %c1073741824_i32, %c-1073741824_i32
// CHECK:             %[[KT:.*]] = tensor.extract_slice %[[K]][0, %[[HK]], %[[KEY]], 0] [1, 1, 32, 16]
// CHECK:             %[[VT:.*]] = tensor.extract_slice %[[V]][0, %[[HK]], %[[KEY]], 0] [1, 1, 32, 24]
// CHECK:             sparse_attn.step %[[PS]] ins(%[[QT]], %[[KT]], %[[VT]] : {{.*}}) at(%[[POSITION]], %[[KEY]]) keys(32) scale(2.500000e-01) reach(%[[J]] to %c1073741824_i32) full(%[[FULL]] to %[[FULLEND]]) mask {
// CHECK-NEXT:        ^bb0(%[[I:.*]]: i32, %[[J:.*]]: i32):
// CHECK-NEXT:          %[[END:.*]] = arith.addi %[[I]], %c1_i32 : i32
// CHECK-NEXT:          %[[ALLOWED:.*]] = arith.cmpi slt, %[[J]], %[[END]] : i32
// CHECK-NEXT:          sparse_attn.yield %[[ALLOWED]] : i1
// CHECK:           %[[F:.*]] = scf.for {{.*}} iter_args(%[[FS:.*]] = %[[P]])
// CHECK:             sparse_attn.step %[[FS]] ins(%[[QT]], {{.*}} scale(2.500000e-01) : <16x24xf32>
// CHECK:           %[[OUT:.*]], %[[LSE:.*]] = sparse_attn.finish %[[F]] scale(2.500000e-01) outs(%{{.*}} : tensor<16x24xf32>, %{{.*}} : tensor<16xf32>)
// CHECK:             tensor.parallel_insert_slice %[[OUT]] into %[[O]][0, %[[H]], %[[ROW]], 0] [1, 1, 16, 24]
// CHECK:             tensor.parallel_insert_slice %[[LSE]] into %[[L]][0, %[[H]], %[[ROW]]] [1, 1, 16]
// CHECK:         } {mapping = [#sparse_attn.grid<0>, #sparse_attn.grid<1>, #sparse_attn.grid<2>]}
func.func @causal(%q: tensor<1x4x64x16xf32>, %k: tensor<1x2x128x16xf32>, %v: tensor<1x2x128x24xf32>,
                  %init: tensor<1x4x64x24xf32>, %lse: tensor<1x4x64xf32>)
    -> (tensor<1x4x64x24xf32>, tensor<1x4x64xf32>) {
  %o:2 = sparse_attn.attention mask(#sparse_attn.causal)
      plan(<tile = [16, 32], rows = [<"0" to "64", segments = [
             <full "0" to "(q * 16 + 65) floordiv 32">,
             <partial "(q * 16 + 65) floordiv 32" to "(q * 16 + 111) floordiv 32">]>]>)
      ins(%q, %k, %v : tensor<1x4x64x16xf32>, tensor<1x2x128x16xf32>, tensor<1x2x128x24xf32>)
      outs(%init, %lse : tensor<1x4x64x24xf32>, tensor<1x4x64xf32>)
      -> tensor<1x4x64x24xf32>, tensor<1x4x64xf32>
  return %o#0, %o#1 : tensor<1x4x64x24xf32>, tensor<1x4x64xf32>
}

// Lengths known at run time: the last tiles have fewer rows, and keys past the end are
// masked.
//
// CHECK-LABEL: func.func @dynamic
// CHECK-SAME:    %[[Q:[a-z0-9]+]]: tensor<?x?x?x16xbf16>, %[[K:[a-z0-9]+]]: tensor<?x?x?x16xbf16>
// CHECK-DAG:     %[[NK:.*]] = tensor.dim %[[K]], %c2
// CHECK:         scf.forall
// CHECK:           %[[ROWS:.*]] = arith.minsi %{{.*}}, %c16
// CHECK:           tensor.extract_slice %[[Q]][%{{.*}}] [1, 1, %[[ROWS]], 16]
// CHECK:           scf.for
// CHECK:             %[[LEFT:.*]] = arith.subi %[[NK]],
// CHECK:             %[[KEYS:.*]] = arith.minsi %[[LEFT]], %c32
// CHECK:             %[[N:.*]] = arith.index_cast %[[NK]] : index to i32
// CHECK:             tensor.extract_slice %[[K]][%{{.*}}] [1, 1, %[[KEYS]], 16]
// CHECK:             sparse_attn.step {{.*}} keys(32) {{.*}} mask {
// CHECK:             ^bb0(%[[I:.*]]: i32, %[[J:.*]]: i32):
// CHECK:               %[[AHEAD:.*]] = arith.addi %[[I]], %c4_i32
// CHECK:               %[[END:.*]] = arith.minsi %[[AHEAD]], %[[N]]
// CHECK:               %[[LIVE:.*]] = arith.cmpi slt, %[[J]], %[[END]]
// CHECK:               sparse_attn.yield %[[LIVE]]
// CHECK:           sparse_attn.finish {{.*}} outs(%{{.*}} : tensor<?x16xbf16>) : <16x16xbf16>
func.func @dynamic(%q: tensor<?x?x?x16xbf16>, %k: tensor<?x?x?x16xbf16>) -> tensor<?x?x?x16xbf16> {
  %o = sparse_attn.attention mask(#sparse_attn.sliding_window<left = unbounded, right = 3>)
      plan(<tile = [16, 32], rows = [<"0" to "nq", segments = [<partial "0" to "(nk + 31) floordiv 32">]>]>)
      ins(%q, %k, %k : tensor<?x?x?x16xbf16>, tensor<?x?x?x16xbf16>, tensor<?x?x?x16xbf16>)
      outs(%q : tensor<?x?x?x16xbf16>) -> tensor<?x?x?x16xbf16>
  return %o : tensor<?x?x?x16xbf16>
}

// Heavy rows run in parts along the keys, whose states are kept as tensors, and a
// second loop nest merges them. They run first, together with the rows of the first class.
//
// CHECK-LABEL: func.func @heavy
// CHECK:         %[[PARTS:.*]]:3 = scf.forall (%{{.*}}, %[[H:.*]], %{{.*}}, %[[PART:.*]]) in (1, 2, 1, 4) shared_outs
// CHECK-SAME:      -> (tensor<1x2x1x4x16xf32>, tensor<1x2x1x4x16xf32>, tensor<1x2x1x4x16x16xf32>)
// CHECK:           %[[S:.*]] = scf.for
// CHECK:           %{{.*}} = sparse_attn.store_state %[[S]] outs(
// CHECK:           tensor.parallel_insert_slice %{{.*}} into %{{.*}}[0, %[[H]], 0, %[[PART]], 0]
// CHECK:         } {mapping = [#sparse_attn.grid<0>, #sparse_attn.grid<1>, #sparse_attn.grid<2>, #sparse_attn.grid<3>], sparse_attn.together}
// CHECK:         %[[ORDINARY:.*]] = scf.forall (%{{.*}}, %{{.*}}, %{{.*}}) in (1, 2, 4)
// CHECK:         } {mapping = [#sparse_attn.grid<0>, #sparse_attn.grid<1>, #sparse_attn.grid<2>], sparse_attn.together}
// CHECK:         scf.forall (%{{.*}}, %[[H2:.*]], %{{.*}}) in (1, 2, 1) shared_outs(%[[O:.*]] = %[[ORDINARY]])
// CHECK:           %[[MERGED:.*]] = sparse_attn.merge_stored %[[PARTS]]#0, %[[PARTS]]#1, %[[PARTS]]#2[%c0, %[[H2]], %c0] scale(2.500000e-01)
// CHECK:           sparse_attn.finish %[[MERGED]]
func.func @heavy(%q: tensor<1x2x64x16xf32>) -> tensor<1x2x64x16xf32> {
  %init = tensor.empty() : tensor<1x2x64x16xf32>
  %o = sparse_attn.attention mask(#sparse_attn.longformer<window = 16, global_tokens = [0]>)
      plan(<tile = [16, 16], rows = [<"0" to "64", segments = [<partial "0" to "4">]>,
                                     <"0" to "1", heavy = true, segments = [<full "0" to "4">]>]>)
      ins(%q, %q, %q : tensor<1x2x64x16xf32>, tensor<1x2x64x16xf32>, tensor<1x2x64x16xf32>)
      outs(%init : tensor<1x2x64x16xf32>) -> tensor<1x2x64x16xf32>
  return %o : tensor<1x2x64x16xf32>
}

// Classes next to each other that visit the same tiles are one grid. Where rows of one
// end and those of the next begin is found by the number of the query tile.
//
// CHECK-LABEL: func.func @both_ends
// CHECK:         scf.forall (%{{.*}}, %{{.*}}, %[[T:.*]], %{{.*}}) in (1, 2, 2, 4) shared_outs
// CHECK-SAME:      -> (tensor<1x2x2x4x16xf32>, tensor<1x2x2x4x16xf32>, tensor<1x2x2x4x16x16xf32>)
// CHECK:           %[[BEHIND:.*]] = arith.cmpi sge, %[[T]], %c1 : index
// CHECK:           %[[ROW:.*]] = arith.select %[[BEHIND]], %{{.*}}, %{{.*}} : index
// CHECK:           tensor.extract_slice %{{.*}}[0, %{{.*}}, %[[ROW]], 0] [1, 1, 16, 16]
// CHECK:         scf.forall {{.*}} in (1, 2, 4)
// CHECK:         scf.forall {{.*}} in (1, 2, 2)
// CHECK-NOT:     scf.forall (
// CHECK:         return
func.func @both_ends(%q: tensor<1x2x64x16xf32>) -> tensor<1x2x64x16xf32> {
  %init = tensor.empty() : tensor<1x2x64x16xf32>
  %o = sparse_attn.attention mask(#sparse_attn.bigbird<block = 16, window_blocks = 1, random_blocks = 0>)
      plan(<tile = [16, 16], rows = [<"0" to "64", segments = [<partial "0" to "4">]>,
                                     <"0" to "16", heavy = true, segments = [<full "0" to "4">]>,
                                     <"48" to "64", heavy = true, segments = [<full "0" to "4">]>]>)
      ins(%q, %q, %q : tensor<1x2x64x16xf32>, tensor<1x2x64x16xf32>, tensor<1x2x64x16xf32>)
      outs(%init : tensor<1x2x64x16xf32>) -> tensor<1x2x64x16xf32>
  return %o : tensor<1x2x64x16xf32>
}

// A row of both belongs to the first, which is the same here.
//
// CHECK-LABEL: func.func @overlap
// CHECK:         scf.forall (%{{.*}}, %{{.*}}, %[[T:.*]]) in (1, 2, 3)
// CHECK:           %[[MORE:.*]] = arith.addi %{{.*}}, %c32 : index
// CHECK:           arith.select %{{.*}}, %[[MORE]], %{{.*}} : index
// CHECK-NOT:     scf.forall (
// CHECK:         return
func.func @overlap(%q: tensor<1x2x48x16xf32>) -> tensor<1x2x48x16xf32> {
  %init = tensor.empty() : tensor<1x2x48x16xf32>
  %o = sparse_attn.attention mask(#sparse_attn.full)
      plan(<tile = [16, 16], rows = [<"0" to "32", segments = [<full "0" to "3">]>,
                                     <"16" to "48", segments = [<full "0" to "3">]>]>)
      ins(%q, %q, %q : tensor<1x2x48x16xf32>, tensor<1x2x48x16xf32>, tensor<1x2x48x16xf32>)
      outs(%init : tensor<1x2x48x16xf32>) -> tensor<1x2x48x16xf32>
  return %o : tensor<1x2x48x16xf32>
}

// Bounds that depend on the query tile mean another one in each class.
//
// CHECK-LABEL: func.func @apart
// CHECK-COUNT-2: scf.forall (
func.func @apart(%q: tensor<1x2x48x16xf32>) -> tensor<1x2x48x16xf32> {
  %init = tensor.empty() : tensor<1x2x48x16xf32>
  %o = sparse_attn.attention mask(#sparse_attn.full)
      plan(<tile = [16, 16], rows = [<"0" to "32", segments = [<full "0" to "q + 1">, <full "q + 1" to "3">]>,
                                     <"32" to "48", segments = [<full "0" to "q + 1">, <full "q + 1" to "3">]>]>)
      ins(%q, %q, %q : tensor<1x2x48x16xf32>, tensor<1x2x48x16xf32>, tensor<1x2x48x16xf32>)
      outs(%init : tensor<1x2x48x16xf32>) -> tensor<1x2x48x16xf32>
  return %o : tensor<1x2x48x16xf32>
}
