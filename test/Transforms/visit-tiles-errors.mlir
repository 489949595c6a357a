// RUN: sparse-attn-opt %s --sparse-attn-visit-tiles --split-input-file --verify-diagnostics
// RUN: not sparse-attn-opt %s --sparse-attn-visit-tiles="heavy-splits=0" --split-input-file 2>&1 | FileCheck %s
// RUN: not sparse-attn-opt %s --sparse-attn-visit-tiles="heavy-keys=-1" --split-input-file 2>&1 | FileCheck %s --check-prefix=KEYS
// RUN: not sparse-attn-opt %s --sparse-attn-visit-tiles="merge-columns=12" --split-input-file 2>&1 | FileCheck %s --check-prefix=MERGE

// RUN: not sparse-attn-opt %s --sparse-attn-visit-tiles="value-columns=12" --split-input-file 2>&1 | FileCheck %s --check-prefix=COLUMNS
// RUN: not sparse-attn-opt %s --sparse-attn-visit-tiles="value-columns=8" --split-input-file 2>&1 | FileCheck %s --check-prefix=CUT

// RUN: not sparse-attn-opt %s --sparse-attn-visit-tiles="single-columns=12" --split-input-file 2>&1 | FileCheck %s --check-prefix=SINGLE
// RUN: not sparse-attn-opt %s --sparse-attn-visit-tiles="value-columns=256 single-columns=8" --split-input-file 2>&1 | FileCheck %s --check-prefix=CUT

// CHECK: error: heavy-splits must be at least 1
// KEYS: error: heavy-keys must be at least 1, or 0 for as many as tiles have
// MERGE: error: merge-columns must be a multiple of 8, or 0 for no limit
// COLUMNS: error: value-columns must be a multiple of 8, or 0 for no limit
// SINGLE: error: single-columns must be a multiple of 8, or 0 for as many as value-columns
// CUT: error: 'sparse_attn.attention' op has values of 12 columns, which cannot be cut into slices of at most 8, multiples of 8: pad them with zeros to a multiple of 8

func.func @unplanned(%q: tensor<1x1x4x8xf32>) -> tensor<1x1x4x8xf32> {
  // expected-error@below {{has no plan; run 'sparse-attn-plan' first}}
  %o = sparse_attn.attention mask(#sparse_attn.causal)
      ins(%q, %q, %q : tensor<1x1x4x8xf32>, tensor<1x1x4x8xf32>, tensor<1x1x4x8xf32>)
      outs(%q : tensor<1x1x4x8xf32>) -> tensor<1x1x4x8xf32>
  return %o : tensor<1x1x4x8xf32>
}

// -----

func.func @memrefs(%q: memref<1x1x4x8xf32>, %o: memref<1x1x4x8xf32>) {
  // expected-error@below {{on memrefs cannot be tiled; lower it before bufferization}}
  sparse_attn.attention mask(#sparse_attn.full)
      plan(<tile = [16, 16], rows = [<"0" to "nq", segments = [<partial "0" to "1">]>]>)
      ins(%q, %q, %q : memref<1x1x4x8xf32>, memref<1x1x4x8xf32>, memref<1x1x4x8xf32>)
      outs(%o : memref<1x1x4x8xf32>)
  return
}

// -----

func.func @columns(%q: tensor<1x1x4x8xf32>, %v: tensor<1x1x4x12xf32>) -> tensor<1x1x4x12xf32> {
  %o = sparse_attn.attention mask(#sparse_attn.full)
      plan(<tile = [16, 16], rows = [<"0" to "nq", segments = [<partial "0" to "1">]>]>)
      ins(%q, %q, %v : tensor<1x1x4x8xf32>, tensor<1x1x4x8xf32>, tensor<1x1x4x12xf32>)
      outs(%v : tensor<1x1x4x12xf32>) -> tensor<1x1x4x12xf32>
  return %o : tensor<1x1x4x12xf32>
}

// -----

func.func @table(%q: tensor<1x1x?x8xf32>) -> tensor<1x1x?x8xf32> {
  // expected-error@below {{has a plan with a table, which is for lengths that are known at compile time; write them in the types, or leave the plan out to have one made}}
  %o = sparse_attn.attention mask(#sparse_attn.full)
      plan(<tile = [16, 16], rows = [<"0" to "4", table = [<0 to 4, partial = [0]>]>]>)
      ins(%q, %q, %q : tensor<1x1x?x8xf32>, tensor<1x1x?x8xf32>, tensor<1x1x?x8xf32>)
      outs(%q : tensor<1x1x?x8xf32>) -> tensor<1x1x?x8xf32>
  return %o : tensor<1x1x?x8xf32>
}

// -----

func.func @documents(%q: tensor<1x1x4x8xf32>) -> tensor<1x1x4x8xf32> {
  // expected-error@below {{has a plan with tiles within documents, and no data operand documents; leave the plan out to have one made}}
  %o = sparse_attn.attention mask(#sparse_attn.full)
      plan(<tile = [16, 16], rows = [<"0" to "nq", segments = [<partial "0" to "1" within documents>]>]>)
      ins(%q, %q, %q : tensor<1x1x4x8xf32>, tensor<1x1x4x8xf32>, tensor<1x1x4x8xf32>)
      outs(%q : tensor<1x1x4x8xf32>) -> tensor<1x1x4x8xf32>
  return %o : tensor<1x1x4x8xf32>
}

// -----

func.func @positions(%q: tensor<1x1x32x8xf32>, %at: tensor<i64>) -> tensor<1x1x32x8xf32> {
  // expected-error@below {{has keys in pages, or at positions that are known at run time, for which a plan has contiguous tiles and no parts; leave the plan out to have one made}}
  %o = sparse_attn.attention mask(#sparse_attn.full)
      plan(<tile = [16, 16], rows = [<"0" to "nq", segments = [<partial "0" to "2" of lattice<step = 2, width = 1, shift = 0, tile = 16>>, <partial "0" to "2" of lattice<step = 2, width = 1, shift = 1, tile = 16>>]>]>)
      ins(%q, %q, %q : tensor<1x1x32x8xf32>, tensor<1x1x32x8xf32>, tensor<1x1x32x8xf32>)
      data(key_position = %at : tensor<i64>)
      outs(%q : tensor<1x1x32x8xf32>) -> tensor<1x1x32x8xf32>
  return %o : tensor<1x1x32x8xf32>
}

// -----

func.func @listed(%q: tensor<1x1x4x8xf32>) -> tensor<1x1x4x8xf32> {
  // expected-error@below {{has a plan with tiles of listed tokens, and no data operand global_tokens; leave the plan out to have one made}}
  %o = sparse_attn.attention mask(#sparse_attn.full)
      plan(<tile = [16, 16], rows = [<"0" to "nq", segments = [<partial "0" to "1" within listed>]>]>)
      ins(%q, %q, %q : tensor<1x1x4x8xf32>, tensor<1x1x4x8xf32>, tensor<1x1x4x8xf32>)
      outs(%q : tensor<1x1x4x8xf32>) -> tensor<1x1x4x8xf32>
  return %o : tensor<1x1x4x8xf32>
}

// -----

func.func @pages(%q: tensor<1x1x32x8xf32>, %kv: tensor<9x1x48x8xf32>, %table: tensor<1x3xi32>) -> tensor<1x1x32x8xf32> {
  // expected-error@below {{has a plan with tiles of 32 keys, which do not divide pages of 48; leave the plan out to have one made}}
  %o = sparse_attn.attention mask(#sparse_attn.full)
      plan(<tile = [16, 32], rows = [<"0" to "nq", segments = [<full "0" to "nk floordiv 32">, <partial "nk floordiv 32" to "(nk + 31) floordiv 32">]>]>)
      ins(%q, %kv, %kv : tensor<1x1x32x8xf32>, tensor<9x1x48x8xf32>, tensor<9x1x48x8xf32>)
      data(page_table = %table : tensor<1x3xi32>)
      outs(%q : tensor<1x1x32x8xf32>) -> tensor<1x1x32x8xf32>
  return %o : tensor<1x1x32x8xf32>
}
