// Tiles of several heads, where there are no more rows than heads in a group: chosen by
// the planner where sizes say so, and by a branch where they are not known.
//
// RUN: sparse-attn-opt %s --mlir-print-op-on-diagnostic=false --split-input-file --sparse-attn-plan --sparse-attn-specialize="lengths=false packed-heads=true" --canonicalize --cse 2>/dev/null | FileCheck %s
// RUN: sparse-attn-opt %s --mlir-print-op-on-diagnostic=false --split-input-file --sparse-attn-plan="target=sm_90" --sparse-attn-specialize="target=sm_90 lengths=false packed-heads=true few-blocks=true" --canonicalize --cse 2>/dev/null | FileCheck %s --check-prefix=GPU
// RUN: sparse-attn-opt %s --mlir-print-op-on-diagnostic=false --split-input-file --sparse-attn-plan --sparse-attn-specialize="lengths=false packed-heads=true" -o /dev/null 2>&1 | FileCheck %s --check-prefix=REMARK
// RUN: sparse-attn-opt %s --mlir-print-op-on-diagnostic=false --split-input-file --sparse-attn-plan --sparse-attn-specialize="lengths=false packed-heads=true" --sparse-attn-prove-plan="fail-unsupported" -o /dev/null 2>&1 | FileCheck %s --check-prefix=PROVEN

!q = tensor<1x32x1x64xf32>
!k = tensor<1x8x?x64xf32>

// CHECK-LABEL: @decode
// CHECK-NOT:     scf.if
// CHECK:         plan(<tile = [1, 64], heads = 4, rows = [<"0" to "1", segments = [<full "0" to "(q + nk) floordiv 64">, <partial "(q + nk) floordiv 64" to "(q + nk + 63) floordiv 64">]>]>)
// GPU-LABEL:   @decode
// GPU:           scf.if
// GPU:             plan(<tile = [1, 32], heads = 16, few_blocks = true,
// GPU:           else
// GPU:             plan(<tile = [1, 32], heads = 16, rows
// PROVEN: remark: plan proven
func.func @decode(%q: !q, %k: !k, %v: !k) -> !q {
  %o = sparse_attn.attention mask(#sparse_attn.causal)
      ins(%q, %k, %v : !q, !k, !k) outs(%q : !q) -> !q
  return %o : !q
}

// -----

!t = tensor<?x?x?x64xf32>

// CHECK-LABEL: @unknown
// CHECK-DAG:     %[[B:.*]] = tensor.dim %[[Q:.*]], %c1
// CHECK-DAG:     %[[SQ:.*]] = tensor.dim %[[Q]], %c2
// CHECK-DAG:     %[[HKV:.*]] = tensor.dim %[[K:[a-z0-9]+]], %c1
// CHECK:         %[[ROWS:.*]] = arith.muli %[[SQ]], %[[HKV]]
// CHECK:         %[[FEWER:.*]] = arith.cmpi sle, %[[ROWS]], %[[B]]
// CHECK:         %[[FEW:.*]] = arith.cmpi sle, %[[SQ]], %c8
// CHECK:         %[[PAYS:.*]] = arith.andi %[[FEWER]], %[[FEW]]
// CHECK:         scf.if %[[PAYS]]
// CHECK:           plan(<tile = [1, 64], heads = 4, rows
// CHECK:         else
// CHECK:           plan(<tile = [48, 64], rows
// REMARK: remark: is compiled once more for few query rows, no more than query heads a key head: tiles are of 4 heads then, and 64 keys
func.func @unknown(%q: !t, %k: !t, %v: !t) -> !t {
  %o = sparse_attn.attention mask(#sparse_attn.causal)
      ins(%q, %k, %v : !t, !t, !t) outs(%q : !t) -> !t
  return %o : !t
}

// -----

!q = tensor<1x24x2x64xf32>
!k = tensor<1x2x?x64xf32>

// Twelve heads are two tiles of six.
//
// CHECK-LABEL: @twelve_heads
// CHECK:         plan(<tile = [1, 64], heads = 6, rows
func.func @twelve_heads(%q: !q, %k: !k, %v: !k) -> !q {
  %o = sparse_attn.attention mask(#sparse_attn.causal)
      ins(%q, %k, %v : !q, !k, !k) outs(%q : !q) -> !q
  return %o : !q
}

// -----

!q = tensor<1x8x?x64xf32>
!k = tensor<1x8x?x64xf32>

// A key head of each query head: a processor computes one row of it by itself, which
// is nothing to a GPU.
//
// CHECK-LABEL: @no_groups
// CHECK:         scf.if
// CHECK:           plan(<tile = [1, 64], rows
// GPU-LABEL:   @no_groups
// GPU-NOT:       heads =
// GPU:           return
func.func @no_groups(%q: !q, %k: !k, %v: !k) -> !q {
  %o = sparse_attn.attention mask(#sparse_attn.causal)
      ins(%q, %k, %v : !q, !k, !k) outs(%q : !q) -> !q
  return %o : !q
}

// -----

!q = tensor<1x8x1x64xf32>
!k = tensor<1x2x512x64xf32>
!r = tensor<1x8x5x64xf32>

// Drawn tiles, and five rows of four heads, are as before.
//
// CHECK-LABEL: @others
// CHECK-NOT:     heads =
// CHECK:         return
func.func @others(%q: !q, %r: !r, %k: !k, %v: !k) -> (!q, !r) {
  %a = sparse_attn.attention mask(#sparse_attn.random<block = 16, blocks_per_row = 2>)
      ins(%q, %k, %v : !q, !k, !k) outs(%q : !q) -> !q
  %b = sparse_attn.attention mask(#sparse_attn.causal)
      ins(%r, %k, %v : !r, !k, !k) outs(%r : !r) -> !r
  return %a, %b : !q, !r
}

// -----

!q = tensor<1x8x?x64xbf16>
!k = tensor<1x2x?x64xbf16>

// Rows of so many tokens are no list in such a plan, which would read all keys for each row.
//
// CHECK-LABEL: @many_tokens
// CHECK-NOT:     heads =
// GPU-LABEL:   @many_tokens
// GPU-NOT:       heads =
// REMARK: packed-heads.mlir:[[#@LINE+3]]:{{[0-9]+}}: remark: has no tiles of several heads for few query rows: of 4096 keys one would read 4096, as the mask has rows of too many kinds for a plan of such tiles, and a tile of each of the heads reads
// PROVEN: remark: plan proven
func.func @many_tokens(%q: !q, %k: !k, %v: !k) -> !q {
  %o = sparse_attn.attention mask(#sparse_attn.longformer<window = 128, global_tokens = [3, 50, 97, 144, 191, 238, 285, 332, 379, 426, 473, 520, 567, 614, 661, 708, 755, 802, 849, 896, 943, 990, 1037, 1084, 1131, 1178, 1225, 1272, 1319, 1366, 1413, 1460, 1507, 1554, 1601, 1648, 1695, 1742, 1789, 1836, 1883, 1930, 1977, 2024, 2071, 2118, 2165, 2212, 2259, 2306, 2353, 2400, 2447, 2494, 2541, 2588, 2635, 2682, 2729, 2776, 2823, 2870, 2917, 2964]>)
      ins(%q, %k, %v : !q, !k, !k) outs(%q : !q) -> !q
  return %o : !q
}
