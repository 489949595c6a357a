// Sizes of results are those of the inits, so asking for one does not keep the
// attention alive.
//
// RUN: sparse-attn-opt %s --resolve-ranked-shaped-type-result-dims --canonicalize | FileCheck %s

// CHECK-LABEL: func.func @sizes
// CHECK-SAME:    %[[O:[a-z0-9]+]]: tensor<?x?x?x64xf32>, %[[L:[a-z0-9]+]]: tensor<?x?x?xf32>)
// CHECK-NOT:     sparse_attn.attention
// CHECK-DAG:     %[[B:.*]] = tensor.dim %[[O]], %c0
// CHECK-DAG:     %[[S:.*]] = tensor.dim %[[O]], %c2
// CHECK-DAG:     %[[LS:.*]] = tensor.dim %[[L]], %c2
// CHECK-DAG:     %[[D:.*]] = arith.constant 64 : index
// CHECK:         return %[[B]], %[[S]], %[[D]], %[[LS]]
func.func @sizes(%q: tensor<?x?x?x64xf32>, %init: tensor<?x?x?x64xf32>, %lse: tensor<?x?x?xf32>)
    -> (index, index, index, index) {
  %c0 = arith.constant 0 : index
  %c2 = arith.constant 2 : index
  %c3 = arith.constant 3 : index
  %o:2 = sparse_attn.attention mask(#sparse_attn.causal)
      ins(%q, %q, %q : tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32>)
      outs(%init, %lse : tensor<?x?x?x64xf32>, tensor<?x?x?xf32>)
      -> tensor<?x?x?x64xf32>, tensor<?x?x?xf32>
  %b = tensor.dim %o#0, %c0 : tensor<?x?x?x64xf32>
  %s = tensor.dim %o#0, %c2 : tensor<?x?x?x64xf32>
  %d = tensor.dim %o#0, %c3 : tensor<?x?x?x64xf32>
  %ls = tensor.dim %o#1, %c2 : tensor<?x?x?xf32>
  return %b, %s, %d, %ls : index, index, index, index
}
