// Of documents nothing is known before anything runs, and inspect says so.
//
// RUN: sparse-attn-inspect %s | FileCheck %s
// RUN: sparse-attn-inspect %s --format=json | FileCheck %s --check-prefix=JSON
//
// CHECK:      mask      #sparse_attn.document
// CHECK-NEXT: shape
// CHECK-NEXT: data      documents are known at run time only: all that follows is of positions of one
// CHECK:        full 0 to {{.*}} within documents
// CHECK:      pairs     4096 of 4096 live
//
// JSON: "reads_data": true

func.func @documents(%q: tensor<1x1x64x16xf32>, %ids: tensor<1x64xi32>, %o: tensor<1x1x64x16xf32>) -> tensor<1x1x64x16xf32> {
  %r = sparse_attn.attention mask(#sparse_attn.document)
      ins(%q, %q, %q : tensor<1x1x64x16xf32>, tensor<1x1x64x16xf32>, tensor<1x1x64x16xf32>)
      data(documents = %ids : tensor<1x64xi32>)
      outs(%o : tensor<1x1x64x16xf32>) -> tensor<1x1x64x16xf32>
  return %r : tensor<1x1x64x16xf32>
}
