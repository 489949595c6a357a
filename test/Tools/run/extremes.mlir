// Parameters far beyond every position mean what their formulas say: in 32 bits
// nothing wraps, and no shift is longer than its operand.
//
// RUN: sparse-attn-run %s --entry=known --check=all | FileCheck %s --check-prefix=KNOWN
// RUN: sparse-attn-run %s --entry=unknown --shape=Sq=97 --shape=Sk=65 --check=all | FileCheck %s --check-prefix=UNKNOWN
// KNOWN: checked 360 rows against the fp64 reference: passed
// UNKNOWN: checked 776 rows against the fp64 reference: passed

func.func @known(%q: tensor<1x1x90x8xf32>, %k: tensor<1x1x90x8xf32>, %v: tensor<1x1x90x8xf32>) -> (tensor<1x1x90x8xf32>, tensor<1x1x90x8xf32>, tensor<1x1x90x8xf32>, tensor<1x1x90x8xf32>) {
  %0 = sparse_attn.attention mask(#sparse_attn.sliding_window<left = 1, right = 1, dilation = 1099511627779>)
      ins(%q, %k, %v : tensor<1x1x90x8xf32>, tensor<1x1x90x8xf32>, tensor<1x1x90x8xf32>) outs(%q : tensor<1x1x90x8xf32>) -> tensor<1x1x90x8xf32>
  %1 = sparse_attn.attention mask(#sparse_attn.strided<stride = 2147483647>)
      ins(%q, %k, %v : tensor<1x1x90x8xf32>, tensor<1x1x90x8xf32>, tensor<1x1x90x8xf32>) outs(%q : tensor<1x1x90x8xf32>) -> tensor<1x1x90x8xf32>
  %2 = sparse_attn.attention mask(#sparse_attn.random<block = 9223372036854775807, blocks_per_row = 2, seed = 1>)
      ins(%q, %k, %v : tensor<1x1x90x8xf32>, tensor<1x1x90x8xf32>, tensor<1x1x90x8xf32>) outs(%q : tensor<1x1x90x8xf32>) -> tensor<1x1x90x8xf32>
  %3 = sparse_attn.attention mask(#sparse_attn.bigbird<block = 1099511627776, window_blocks = 3, random_blocks = 3>)
      ins(%q, %k, %v : tensor<1x1x90x8xf32>, tensor<1x1x90x8xf32>, tensor<1x1x90x8xf32>) outs(%q : tensor<1x1x90x8xf32>) -> tensor<1x1x90x8xf32>
  return %0, %1, %2, %3 : tensor<1x1x90x8xf32>, tensor<1x1x90x8xf32>, tensor<1x1x90x8xf32>, tensor<1x1x90x8xf32>
}

func.func @unknown(%q: tensor<1x1x?x8xf32>, %k: tensor<1x1x?x8xf32>, %v: tensor<1x1x?x8xf32>) -> (tensor<1x1x?x8xf32>, tensor<1x1x?x8xf32>, tensor<1x1x?x8xf32>, tensor<1x1x?x8xf32>, tensor<1x1x?x8xf32>, tensor<1x1x?x8xf32>, tensor<1x1x?x8xf32>, tensor<1x1x?x8xf32>) {
  %0 = sparse_attn.attention mask(#sparse_attn.sliding_window<left = 9223372036854775807, right = 0>)
      ins(%q, %k, %v : tensor<1x1x?x8xf32>, tensor<1x1x?x8xf32>, tensor<1x1x?x8xf32>) outs(%q : tensor<1x1x?x8xf32>) -> tensor<1x1x?x8xf32>
  %1 = sparse_attn.attention mask(#sparse_attn.sliding_window<left = 0, right = 1, block = 1099511627776>)
      ins(%q, %k, %v : tensor<1x1x?x8xf32>, tensor<1x1x?x8xf32>, tensor<1x1x?x8xf32>) outs(%q : tensor<1x1x?x8xf32>) -> tensor<1x1x?x8xf32>
  %2 = sparse_attn.attention mask(#sparse_attn.chunked<size = 9223372036854775807>)
      ins(%q, %k, %v : tensor<1x1x?x8xf32>, tensor<1x1x?x8xf32>, tensor<1x1x?x8xf32>) outs(%q : tensor<1x1x?x8xf32>) -> tensor<1x1x?x8xf32>
  %3 = sparse_attn.attention mask(#sparse_attn.strided<stride = 4294967296>)
      ins(%q, %k, %v : tensor<1x1x?x8xf32>, tensor<1x1x?x8xf32>, tensor<1x1x?x8xf32>) outs(%q : tensor<1x1x?x8xf32>) -> tensor<1x1x?x8xf32>
  %4 = sparse_attn.attention mask(#sparse_attn.periodic_columns<period = 4611686018427387904, last = 4611686018427387899>)
      ins(%q, %k, %v : tensor<1x1x?x8xf32>, tensor<1x1x?x8xf32>, tensor<1x1x?x8xf32>) outs(%q : tensor<1x1x?x8xf32>) -> tensor<1x1x?x8xf32>
  %5 = sparse_attn.attention mask(#sparse_attn.global<tokens = [3, 1099511627776, -4611686018427387904]>)
      ins(%q, %k, %v : tensor<1x1x?x8xf32>, tensor<1x1x?x8xf32>, tensor<1x1x?x8xf32>) outs(%q : tensor<1x1x?x8xf32>) -> tensor<1x1x?x8xf32>
  %6 = sparse_attn.attention mask(#sparse_attn.complement<#sparse_attn.global<first = 1099511627776, direction = rows>>)
      ins(%q, %k, %v : tensor<1x1x?x8xf32>, tensor<1x1x?x8xf32>, tensor<1x1x?x8xf32>) outs(%q : tensor<1x1x?x8xf32>) -> tensor<1x1x?x8xf32>
  %7 = sparse_attn.attention mask(#sparse_attn.global<last = 1099511627776, direction = rows>)
      ins(%q, %k, %v : tensor<1x1x?x8xf32>, tensor<1x1x?x8xf32>, tensor<1x1x?x8xf32>) outs(%q : tensor<1x1x?x8xf32>) -> tensor<1x1x?x8xf32>
  return %0, %1, %2, %3, %4, %5, %6, %7 : tensor<1x1x?x8xf32>, tensor<1x1x?x8xf32>, tensor<1x1x?x8xf32>, tensor<1x1x?x8xf32>, tensor<1x1x?x8xf32>, tensor<1x1x?x8xf32>, tensor<1x1x?x8xf32>, tensor<1x1x?x8xf32>
}
