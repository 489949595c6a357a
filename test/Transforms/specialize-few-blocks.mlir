// Attention is planned once more for launches of few query tiles, by a branch on
// sizes and on the device. Where known sizes say that it never pays, it is not.
//
// RUN: sparse-attn-opt %s --mlir-print-op-on-diagnostic=false --split-input-file --sparse-attn-plan="target=sm_90" --sparse-attn-specialize="target=sm_90 few-blocks=true" --canonicalize --cse 2>/dev/null | FileCheck %s
// RUN: sparse-attn-opt %s --mlir-print-op-on-diagnostic=false --split-input-file --sparse-attn-plan="target=sm_90" --sparse-attn-specialize="target=sm_90 few-blocks=true" -o /dev/null 2>&1 | FileCheck %s --check-prefix=REMARK
// RUN: sparse-attn-opt %s --mlir-print-op-on-diagnostic=false --split-input-file --sparse-attn-plan="target=sm_90" --sparse-attn-specialize="target=sm_90 few-blocks=true" --sparse-attn-prove-plan="fail-unsupported" -o /dev/null 2>&1 | FileCheck %s --check-prefix=PROVEN
// RUN: sparse-attn-opt %s --mlir-print-op-on-diagnostic=false --split-input-file --sparse-attn-plan --sparse-attn-specialize="few-blocks=true" 2>/dev/null | FileCheck %s --check-prefix=NONE
// RUN: sparse-attn-opt %s --mlir-print-op-on-diagnostic=false --split-input-file --sparse-attn-plan="target=sm_90" --sparse-attn-specialize="target=sm_90" 2>/dev/null | FileCheck %s --check-prefix=NONE
//
// NONE-NOT: few_blocks

!t = tensor<2x4x?x64xbf16>

// 16 rows of 8 heads: four warps a multiprocessor, and 256 keys a part. Tiles of
// 16 rows are better where there are no more, too.
//
// CHECK-LABEL: @causal
// CHECK-DAG:     %[[C8:.*]] = arith.constant 8 : index
// CHECK-DAG:     %[[C256:.*]] = arith.constant 256 : index
// CHECK-DAG:     %[[SMS:.*]] = sparse_attn.sm_count
// CHECK-DAG:     %[[WARPS:.*]] = arith.muli %[[SMS]], %c4
// CHECK:         %[[ROOM:.*]] = arith.floordivsi %[[WARPS]], %{{.*}}
// CHECK:         %[[PARTS:.*]] = arith.minsi %[[ROOM]], %{{.*}}
// CHECK:         %[[ARE_MORE:.*]] = arith.cmpi sge, %[[PARTS]], %c2
// CHECK:         %[[ARE_FEW:.*]] = arith.cmpi sle, %{{.*}}, %c16
// CHECK:         %[[PAYS:.*]] = arith.ori %[[ARE_MORE]], %[[ARE_FEW]]
// CHECK:         scf.if %[[PAYS]]
// CHECK:           plan(<tile = [16, 64], few_blocks = true, rows = [<"0" to "nq", heavy = true,
// CHECK:         } else {
// CHECK:           plan(<tile = [128, 64], rows = [<"0" to "nq", segments
// CHECK:         } {sparse_attn.optional}
// REMARK: specialize-few-blocks.mlir:[[#@LINE+4]]:{{[0-9]+}}: remark: is compiled once more for launches of few query tiles: tiles are 16 x 64 then, and each query tile's keys are split into as many parts as the device has room for
// PROVEN: remark: plan proven (presburger)
// PROVEN: remark: plan proven (presburger)
func.func @causal(%q: !t, %k: !t, %v: !t) -> !t {
  %o = sparse_attn.attention mask(#sparse_attn.causal)
      ins(%q, %k, %v : !t, !t, !t) outs(%q : !t) -> !t
  return %o : !t
}

// -----

!q = tensor<?x4x1x64xbf16>
!k = tensor<?x4x?x64xbf16>

// A row sees at most 513 keys, in nine tiles.
//
// CHECK-LABEL: @window
// CHECK:         arith.minsi %{{.*}}, %c576
// CHECK:         scf.if
// CHECK:           plan(<tile = [16, 64], few_blocks = true
func.func @window(%q: !q, %k: !k, %v: !k) -> !q {
  %o = sparse_attn.attention mask(#sparse_attn.sliding_window<left = 512, right = 0>)
      ins(%q, %k, %v : !q, !k, !k) outs(%q : !q) -> !q
  return %o : !q
}

// -----

!q = tensor<1x4x1x64xbf16>
!k = tensor<1x4x511x64xbf16>

// The keys make one part.
//
// CHECK-LABEL: @few_keys
// CHECK-NOT:     scf.if
func.func @few_keys(%q: !q, %k: !k, %v: !k) -> !q {
  %o = sparse_attn.attention mask(#sparse_attn.causal)
      ins(%q, %k, %v : !q, !k, !k) outs(%q : !q) -> !q
  return %o : !q
}

// -----

!t = tensor<8x16x4096x64xbf16>

// No device has room for more than the 32768 tiles of 16 rows.
//
// CHECK-LABEL: @many_blocks
// CHECK-NOT:     scf.if
func.func @many_blocks(%q: !t, %k: !t, %v: !t) -> !t {
  %o = sparse_attn.attention mask(#sparse_attn.causal)
      ins(%q, %k, %v : !t, !t, !t) outs(%q : !t) -> !t
  return %o : !t
}

// -----

!t = tensor<1x4x?x64xbf16>

// Rows of scattered tokens stand in a list in both plans, whose tiles have other sizes.
//
// CHECK-LABEL: @tokens
// CHECK:         scf.if
// CHECK:           plan(<tile = [16, 64], few_blocks = true, rows = [<"0" to "nq", heavy = true,
// CHECK-SAME:      <"0" to "20" of list<[3, {{.*}}], width = 1, tile = 16>, heavy = true, segments
// CHECK:         } else {
// CHECK:           plan(<tile = [128, 64], rows = [<"0" to "nq", segments
// CHECK-SAME:      <"0" to "20" of list<[3, {{.*}}], width = 1, tile = 32>, heavy = true, segments
func.func @tokens(%q: !t, %k: !t, %v: !t) -> !t {
  %o = sparse_attn.attention mask(#sparse_attn.longformer<window = 128, global_tokens = [3, 50, 97, 144, 191, 238, 285, 332, 379, 426, 473, 520, 567, 614, 661, 708, 755, 802, 849, 896]>)
      ins(%q, %k, %v : !t, !t, !t) outs(%q : !t) -> !t
  return %o : !t
}
