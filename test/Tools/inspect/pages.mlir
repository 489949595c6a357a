// Of keys in pages, Sk is what a sequence's pages have, not what a page or the pool
// has; where their number is not known, it is asked for as Sk.
//
// RUN: sparse-attn-inspect %s --entry=known | FileCheck %s
// RUN: sparse-attn-inspect %s --entry=unknown --shape=Sk=64 | FileCheck %s
// RUN: not sparse-attn-inspect %s --entry=unknown 2>&1 | FileCheck %s --check-prefix=ASK
//
// CHECK: shape     Q 2x2x5x16, K 2x2x64x16, V 2x2x64x16 of f32
// CHECK: pairs     620 of 640 live
// CHECK: tiles     {{.*}} 0 empty
// ASK: the number of keys of @unknown is dynamic; give it with --shape=Sk=

func.func @known(%q: tensor<2x2x5x16xf32>, %kv: tensor<7x2x16x16xf32>, %table: tensor<2x4xi32>) -> tensor<2x2x5x16xf32> {
  %init = tensor.empty() : tensor<2x2x5x16xf32>
  %o = sparse_attn.attention mask(#sparse_attn.causal)
      ins(%q, %kv, %kv : tensor<2x2x5x16xf32>, tensor<7x2x16x16xf32>, tensor<7x2x16x16xf32>)
      data(page_table = %table : tensor<2x4xi32>) outs(%init : tensor<2x2x5x16xf32>) -> tensor<2x2x5x16xf32>
  return %o : tensor<2x2x5x16xf32>
}

func.func @unknown(%q: tensor<2x2x5x16xf32>, %kv: tensor<?x2x16x16xf32>, %table: tensor<2x?xi32>) -> tensor<2x2x5x16xf32> {
  %init = tensor.empty() : tensor<2x2x5x16xf32>
  %o = sparse_attn.attention mask(#sparse_attn.causal)
      ins(%q, %kv, %kv : tensor<2x2x5x16xf32>, tensor<?x2x16x16xf32>, tensor<?x2x16x16xf32>)
      data(page_table = %table : tensor<2x?xi32>) outs(%init : tensor<2x2x5x16xf32>) -> tensor<2x2x5x16xf32>
  return %o : tensor<2x2x5x16xf32>
}
