// Values of more columns than a target computes at a time are cut into slices.
//
// RUN: sparse-attn-opt %s --sparse-attn-visit-tiles="value-columns=256 heavy-splits=4" --canonicalize | FileCheck %s
// RUN: sparse-attn-opt %s --sparse-attn-visit-tiles="value-columns=256 heavy-splits=4 merge-columns=16" --canonicalize --cse | FileCheck %s --check-prefix=MERGE

// RUN: sparse-attn-opt %s --sparse-attn-visit-tiles="value-columns=256 single-columns=160 heavy-splits=4" --canonicalize | FileCheck %s --check-prefix=SINGLE

// Two slices of 256 columns: the loop over heads runs over both of each. The log-sum-exp
// of a row is written with the first slice, of which the other has no row.
//
// CHECK-LABEL: func.func @alike
// CHECK-SAME:    %[[Q:[a-z0-9]+]]: tensor<1x4x64x16xbf16>, %[[K:[a-z0-9]+]]: tensor<1x2x64x16xbf16>, %[[V:[a-z0-9]+]]: tensor<1x2x64x512xbf16>
// CHECK:         scf.forall (%{{.*}}, %[[ID:.*]], %[[T:.*]]) in (1, 8, 4) shared_outs(%[[O:.*]] = %{{.*}}, %[[L:.*]] = %{{.*}})
// CHECK-DAG:       %[[H:.*]] = arith.divui %[[ID]], %c2
// CHECK-DAG:       %[[SLICE:.*]] = arith.remui %[[ID]], %c2
// CHECK-DAG:       %[[COLUMN:.*]] = arith.muli %[[SLICE]], %c256
// CHECK-DAG:       %[[ROW:.*]] = arith.muli %[[T]], %c16
// CHECK:           tensor.extract_slice %[[Q]][0, %[[H]], %[[ROW]], 0] [1, 1, 16, 16]
// CHECK:           sparse_attn.initial_state : <16x256xbf16>
// CHECK:             tensor.extract_slice %[[K]][0, %[[HK:.*]], %[[KEY:.*]], 0] [1, 1, 32, 16]
// CHECK:             tensor.extract_slice %[[V]][0, %[[HK]], %[[KEY]], %[[COLUMN]]] [1, 1, 32, 256]
// CHECK:           tensor.extract_slice %[[O]][0, %[[H]], %[[ROW]], %[[COLUMN]]] [1, 1, 16, 256]
// CHECK:           %[[FIRST:.*]] = arith.cmpi eq, %[[COLUMN]], %c0
// CHECK:           %[[ROWS:.*]] = arith.select %[[FIRST]], %c16, %c0
// CHECK:           tensor.extract_slice %[[L]][0, %[[H]], %[[ROW]]] [1, 1, %[[ROWS]]]
// CHECK:           sparse_attn.finish {{.*}} outs(%{{.*}} : tensor<16x256xbf16>, %{{.*}} : tensor<?xf32>)
// CHECK:             tensor.parallel_insert_slice %{{.*}} into %[[O]][0, %[[H]], %[[ROW]], %[[COLUMN]]] [1, 1, 16, 256]
// CHECK:             tensor.parallel_insert_slice %{{.*}} into %[[L]][0, %[[H]], %[[ROW]]] [1, 1, %[[ROWS]]]
// CHECK-NOT:     scf.forall
func.func @alike(%q: tensor<1x4x64x16xbf16>, %k: tensor<1x2x64x16xbf16>, %v: tensor<1x2x64x512xbf16>,
                 %init: tensor<1x4x64x512xbf16>, %lse: tensor<1x4x64xf32>)
    -> (tensor<1x4x64x512xbf16>, tensor<1x4x64xf32>) {
  %o:2 = sparse_attn.attention mask(#sparse_attn.full)
      plan(<tile = [16, 32], rows = [<"0" to "64", segments = [<full "0" to "2">]>]>)
      ins(%q, %k, %v : tensor<1x4x64x16xbf16>, tensor<1x2x64x16xbf16>, tensor<1x2x64x512xbf16>)
      outs(%init, %lse : tensor<1x4x64x512xbf16>, tensor<1x4x64xf32>)
      -> tensor<1x4x64x512xbf16>, tensor<1x4x64xf32>
  return %o#0, %o#1 : tensor<1x4x64x512xbf16>, tensor<1x4x64xf32>
}

// 264 columns are 136 and 128, each in a loop of its own, of which the first writes the
// log-sum-exp.
//
// CHECK-LABEL: func.func @unlike
// CHECK:         %[[FIRST:.*]]:2 = scf.forall {{.*}} in (1, 1, 4) shared_outs(%[[O:.*]] = %{{.*}}, %{{.*}} = %{{.*}})
// CHECK:             tensor.extract_slice %{{.*}}[0, 0, %{{.*}}, 0] [1, 1, 32, 136]
// CHECK:           sparse_attn.finish {{.*}} outs(%{{.*}} : tensor<16x136xf16>, %{{.*}} : tensor<16xf32>)
// CHECK:             tensor.parallel_insert_slice %{{.*}} into %[[O]][0, 0, %{{.*}}, 0] [1, 1, 16, 136]
// CHECK:         %[[SECOND:.*]] = scf.forall {{.*}} in (1, 1, 4) shared_outs(%[[P:.*]] = %[[FIRST]]#0)
// CHECK:             tensor.extract_slice %{{.*}}[0, 0, %{{.*}}, 136] [1, 1, 32, 128]
// CHECK:           sparse_attn.finish {{.*}} outs(%{{.*}} : tensor<16x128xf16>) : <16x128xf16>
// CHECK:             tensor.parallel_insert_slice %{{.*}} into %[[P]][0, 0, %{{.*}}, 136] [1, 1, 16, 128]
// CHECK:         return %[[SECOND]], %[[FIRST]]#1
func.func @unlike(%q: tensor<1x1x64x16xf16>, %v: tensor<1x1x64x264xf16>, %init: tensor<1x1x64x264xf16>,
                  %lse: tensor<1x1x64xf32>) -> (tensor<1x1x64x264xf16>, tensor<1x1x64xf32>) {
  %o:2 = sparse_attn.attention mask(#sparse_attn.full)
      plan(<tile = [16, 32], rows = [<"0" to "64", segments = [<full "0" to "2">]>]>)
      ins(%q, %q, %v : tensor<1x1x64x16xf16>, tensor<1x1x64x16xf16>, tensor<1x1x64x264xf16>)
      outs(%init, %lse : tensor<1x1x64x264xf16>, tensor<1x1x64xf32>)
      -> tensor<1x1x64x264xf16>, tensor<1x1x64xf32>
  return %o#0, %o#1 : tensor<1x1x64x264xf16>, tensor<1x1x64xf32>
}

// Parts of split rows are those of a slice.
//
// CHECK-LABEL: func.func @split
// CHECK:         %[[PARTS:.*]]:3 = scf.forall {{.*}} in (1, 4, 1, 4) shared_outs
// CHECK-SAME:      -> (tensor<1x4x1x4x16xf32>, tensor<1x4x1x4x16xf32>, tensor<1x4x1x4x16x192xf32>)
// CHECK:         scf.forall (%{{.*}}, %[[ID:.*]], %{{.*}}) in (1, 4, 1)
// CHECK:           sparse_attn.merge_stored {{.*}}[%{{.*}}, %[[ID]], %{{.*}}]
func.func @split(%q: tensor<1x2x16x16xf16>, %v: tensor<1x2x16x384xf16>, %init: tensor<1x2x16x384xf16>)
    -> tensor<1x2x16x384xf16> {
  %o = sparse_attn.attention mask(#sparse_attn.full)
      plan(<tile = [16, 16], rows = [<"0" to "16", heavy = true, segments = [<full "0" to "1">]>]>)
      ins(%q, %q, %v : tensor<1x2x16x16xf16>, tensor<1x2x16x16xf16>, tensor<1x2x16x384xf16>)
      outs(%init : tensor<1x2x16x384xf16>) -> tensor<1x2x16x384xf16>
  return %o : tensor<1x2x16x384xf16>
}

// States of parts are merged in slices of columns as well: of 64, four of 16, and of 40
// five of 8, as many as divide them. An iteration reads the states of the head that its
// slice is of, and of their means its columns.
//
// MERGE-LABEL: func.func @merged
// MERGE:         %[[PARTS:.*]]:3 = scf.forall {{.*}} in (1, 2, 1, 4)
// MERGE:         scf.forall (%{{.*}}, %[[ID:.*]], %{{.*}}) in (1, 8, 1)
// MERGE-DAG:       %[[H:.*]] = arith.divui %[[ID]], %c4
// MERGE-DAG:       %[[SLICE:.*]] = arith.remui %[[ID]], %c4
// MERGE-DAG:       %[[COLUMN:.*]] = arith.muli %[[SLICE]], %c16
// MERGE:           %[[MEANS:.*]] = tensor.extract_slice %[[PARTS]]#2[0, 0, 0, 0, 0, %[[COLUMN]]] [1, 2, 1, 4, 16, 16]
// MERGE:           sparse_attn.merge_stored %[[PARTS]]#0, %[[PARTS]]#1, %[[MEANS]][%{{.*}}, %[[H]], %{{.*}}]
// MERGE-SAME:        -> <16x16xbf16>
// MERGE:           sparse_attn.finish {{.*}} outs(%{{.*}} : tensor<16x16xbf16>) : <16x16xbf16>
func.func @merged(%q: tensor<1x2x16x64xbf16>, %k: tensor<1x2x512x64xbf16>) -> tensor<1x2x16x64xbf16> {
  %o = sparse_attn.attention mask(#sparse_attn.full)
      plan(<tile = [16, 64], rows = [<"0" to "16", heavy = true, segments = [<full "0" to "8">]>]>)
      ins(%q, %k, %k : tensor<1x2x16x64xbf16>, tensor<1x2x512x64xbf16>, tensor<1x2x512x64xbf16>)
      outs(%q : tensor<1x2x16x64xbf16>) -> tensor<1x2x16x64xbf16>
  return %o : tensor<1x2x16x64xbf16>
}

// MERGE-LABEL: func.func @merged_of_40
// MERGE:         scf.forall {{.*}} in (1, 2, 1, 4)
// MERGE:         scf.forall {{.*}} in (1, 10, 1)
// MERGE:           sparse_attn.merge_stored {{.*}} -> <16x8xbf16>
func.func @merged_of_40(%q: tensor<1x2x16x40xbf16>, %k: tensor<1x2x512x40xbf16>) -> tensor<1x2x16x40xbf16> {
  %o = sparse_attn.attention mask(#sparse_attn.full)
      plan(<tile = [16, 64], rows = [<"0" to "16", heavy = true, segments = [<full "0" to "8">]>]>)
      ins(%q, %k, %k : tensor<1x2x16x40xbf16>, tensor<1x2x512x40xbf16>, tensor<1x2x512x40xbf16>)
      outs(%q : tensor<1x2x16x40xbf16>) -> tensor<1x2x16x40xbf16>
  return %o : tensor<1x2x16x40xbf16>
}

// Elements of 4 bytes have a limit of their own, where there is one.
//
// SINGLE-LABEL: func.func @alike
// SINGLE:         scf.forall {{.*}} in (1, 8, 4)
// SINGLE:           sparse_attn.initial_state : <16x256xbf16>
// SINGLE-LABEL: func.func @single
// SINGLE:         scf.forall {{.*}} in (1, 4, 1)
// SINGLE:           sparse_attn.initial_state : <16x96xf32>
// CHECK-LABEL:  func.func @single
// CHECK:          sparse_attn.initial_state : <16x192xf32>
func.func @single(%q: tensor<1x2x16x192xf32>) -> tensor<1x2x16x192xf32> {
  %o = sparse_attn.attention mask(#sparse_attn.full)
      plan(<tile = [16, 16], rows = [<"0" to "16", segments = [<full "0" to "1">]>]>)
      ins(%q, %q, %q : tensor<1x2x16x192xf32>, tensor<1x2x16x192xf32>, tensor<1x2x16x192xf32>)
      outs(%q : tensor<1x2x16x192xf32>) -> tensor<1x2x16x192xf32>
  return %o : tensor<1x2x16x192xf32>
}
