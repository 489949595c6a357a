// A merge becomes a loop over tiles of rows, in which results are states and the
// columns are taken 64 at a time; the log-sum-exp comes with the first of them.
//
// RUN: sparse-attn-opt %s --sparse-attn-visit-tiles | FileCheck %s

// CHECK-LABEL: func.func @ragged
// CHECK-SAME:    (%[[X:[a-z0-9]+]]: tensor<2x4x?x96xf16>, %[[LX:[a-z0-9]+]]: tensor<2x4x?xf32>, %[[Y:[a-z0-9]+]]: tensor<2x4x?x96xf16>, %[[LY:[a-z0-9]+]]: tensor<2x4x?xf32>
// CHECK:         scf.forall (%[[B:.*]], %[[H:.*]], %[[T:.*]]) in (2, 4, %{{.*}})
// CHECK:           %[[XROWS:.*]] = tensor.extract_slice %[[X]][%[[B]], %[[H]], %[[ROW:.*]], 0] [1, 1, %[[N:.*]], 96]
// CHECK:           %[[LXROWS:.*]] = tensor.extract_slice %[[LX]][%[[B]], %[[H]], %[[ROW]]] [1, 1, %[[N]]]
// CHECK:           %[[XLEFT:.*]] = tensor.extract_slice %[[XROWS]][0, 0] [%{{.*}}, 64]
// CHECK:           %[[SX:.*]] = sparse_attn.result_state %[[XLEFT]], %[[LXROWS]] : tensor<?x64xf16>, tensor<?xf32> -> <64x64xf16>
// CHECK:           %[[SY:.*]] = sparse_attn.result_state
// CHECK:           %[[S:.*]] = sparse_attn.merge_states %[[SX]], %[[SY]] scale(1.000000e+00) : <64x64xf16>
// CHECK:           %[[LEFT:.*]], %[[LSE:.*]] = sparse_attn.finish %[[S]] scale(1.000000e+00)
// CHECK:           tensor.insert_slice %[[LEFT]]
// CHECK:           tensor.extract_slice %[[XROWS]][0, 64] [%{{.*}}, 32]
// CHECK:           sparse_attn.merge_states %{{.*}} : <64x32xf16>
// CHECK:           %[[RIGHT:.*]] = sparse_attn.finish %{{.*}} scale(1.000000e+00) outs(%{{.*}} : tensor<?x32xf16>)
// CHECK:           %[[ALL:.*]] = tensor.insert_slice %[[RIGHT]]
// CHECK:           tensor.parallel_insert_slice %[[ALL]]
// CHECK:           tensor.parallel_insert_slice %[[LSE]]
// CHECK:         mapping = [#sparse_attn.grid<0>, #sparse_attn.grid<1>, #sparse_attn.grid<2>]
func.func @ragged(%x: tensor<2x4x?x96xf16>, %lx: tensor<2x4x?xf32>, %y: tensor<2x4x?x96xf16>, %ly: tensor<2x4x?xf32>,
                  %o: tensor<2x4x?x96xf16>, %l: tensor<2x4x?xf32>) -> (tensor<2x4x?x96xf16>, tensor<2x4x?xf32>) {
  %r:2 = sparse_attn.merge ins(%x, %lx, %y, %ly : tensor<2x4x?x96xf16>, tensor<2x4x?xf32>, tensor<2x4x?x96xf16>, tensor<2x4x?xf32>)
      outs(%o, %l : tensor<2x4x?x96xf16>, tensor<2x4x?xf32>) -> tensor<2x4x?x96xf16>, tensor<2x4x?xf32>
  return %r#0, %r#1 : tensor<2x4x?x96xf16>, tensor<2x4x?xf32>
}

// A few rows are a smaller tile.
// CHECK-LABEL: func.func @few
// CHECK:         scf.forall (%{{.*}}, %{{.*}}, %{{.*}}) in (2, 4, 1)
// CHECK:           sparse_attn.merge_states %{{.*}} : <16x32xf32>
func.func @few(%x: tensor<2x4x9x32xf32>, %l: tensor<2x4x9xf32>) -> (tensor<2x4x9x32xf32>, tensor<2x4x9xf32>) {
  %r:2 = sparse_attn.merge ins(%x, %l, %x, %l : tensor<2x4x9x32xf32>, tensor<2x4x9xf32>, tensor<2x4x9x32xf32>, tensor<2x4x9xf32>)
      outs(%x, %l : tensor<2x4x9x32xf32>, tensor<2x4x9xf32>) -> tensor<2x4x9x32xf32>, tensor<2x4x9xf32>
  return %r#0, %r#1 : tensor<2x4x9x32xf32>, tensor<2x4x9xf32>
}

// Nothing is left of none.
// CHECK-LABEL: func.func @none
// CHECK-NEXT:    return %arg0, %arg1
func.func @none(%x: tensor<2x4x0x32xf32>, %l: tensor<2x4x0xf32>) -> (tensor<2x4x0x32xf32>, tensor<2x4x0xf32>) {
  %r:2 = sparse_attn.merge ins(%x, %l, %x, %l : tensor<2x4x0x32xf32>, tensor<2x4x0xf32>, tensor<2x4x0x32xf32>, tensor<2x4x0xf32>)
      outs(%x, %l : tensor<2x4x0x32xf32>, tensor<2x4x0xf32>) -> tensor<2x4x0x32xf32>, tensor<2x4x0xf32>
  return %r#0, %r#1 : tensor<2x4x0x32xf32>, tensor<2x4x0xf32>
}
