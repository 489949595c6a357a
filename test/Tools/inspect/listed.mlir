// Of listed tokens nothing is known before anything runs, and inspect says so.
//
// RUN: sparse-attn-inspect %s | FileCheck %s
// RUN: sparse-attn-inspect %s --format=json | FileCheck %s --check-prefix=JSON
//
// CHECK:      mask      #sparse_attn.union<
// CHECK:      data      global tokens are known at run time only: all that follows is of none
// CHECK:        partial {{.*}} within listed
// CHECK:      pairs     250 of 4096 live
//
// JSON: "reads_data": true

func.func @listed(%q: tensor<1x1x64x16xf32>, %tokens: tensor<1x3xi32>, %o: tensor<1x1x64x16xf32>) -> tensor<1x1x64x16xf32> {
  %r = sparse_attn.attention mask(#sparse_attn.union<#sparse_attn.sliding_window<left = 3, right = 0>, #sparse_attn.global<listed>>)
      ins(%q, %q, %q : tensor<1x1x64x16xf32>, tensor<1x1x64x16xf32>, tensor<1x1x64x16xf32>)
      data(global_tokens = %tokens : tensor<1x3xi32>)
      outs(%o : tensor<1x1x64x16xf32>) -> tensor<1x1x64x16xf32>
  return %r : tensor<1x1x64x16xf32>
}
