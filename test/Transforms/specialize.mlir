// Attention is planned again for lengths of which a better plan holds, and runs
// by it where they are such. Other masks, and known lengths, stay as they are.
//
// RUN: sparse-attn-opt %s --mlir-print-op-on-diagnostic=false --split-input-file --sparse-attn-plan="target=sm_80" --sparse-attn-specialize="target=sm_80" 2>/dev/null | FileCheck %s
// RUN: sparse-attn-opt %s --mlir-print-op-on-diagnostic=false --split-input-file --sparse-attn-plan="target=sm_80" --sparse-attn-specialize="target=sm_80" -o /dev/null 2>&1 | FileCheck %s --check-prefix=REMARK
// RUN: sparse-attn-opt %s --mlir-print-op-on-diagnostic=false --split-input-file --sparse-attn-plan="target=sm_80" --sparse-attn-specialize="target=sm_80" --sparse-attn-prove-plan="fail-unsupported" -o /dev/null 2>&1 | FileCheck %s --check-prefix=PROVEN
// RUN: not sparse-attn-opt %s --mlir-print-op-on-diagnostic=false --split-input-file --sparse-attn-specialize 2>&1 | FileCheck %s --check-prefix=NOPLAN
// RUN: not sparse-attn-opt %s --mlir-print-op-on-diagnostic=false --split-input-file --sparse-attn-specialize="tile-keys=-1" 2>&1 | FileCheck %s --check-prefix=TILE
// RUN: not sparse-attn-opt %s --mlir-print-op-on-diagnostic=false --split-input-file --sparse-attn-specialize="target=sm_1" 2>&1 | FileCheck %s --check-prefix=TARGET
//
// NOPLAN: error: 'sparse_attn.attention' op has no plan; run 'sparse-attn-plan' first
// TILE: error: tile-queries and tile-keys must be from 1 to 65536, or 0 to have them chosen; got -1
// TARGET: error: unknown target 'sm_1'; use cpu or gpu, or one of

!t = tensor<?x?x?x64xbf16>

// CHECK-LABEL: @bigbird
// CHECK:         scf.if
// CHECK:           plan(<tile = [64, 64], {{.*}}keys_multiple = 64, rows = [
// CHECK-NOT:       partial
// CHECK:         } else {
// CHECK:           plan(<tile = [128, 64], rows = [
// REMARK: specialize.mlir:[[#@LINE+4]]:{{[0-9]+}}: remark: is compiled once more for lengths of which {{.*}}nk a multiple of 64: for 4096 queries and 4096 keys a head then visits {{[0-9]+}} full and 0 partial tiles of 64 x 64, and {{[0-9]+}} full and {{[0-9]+}} partial tiles of 128 x 64 by the plan for all lengths, {{[0-9.]+}} times the work
// PROVEN: remark: plan proven (presburger)
// PROVEN: remark: plan proven (presburger)
func.func @bigbird(%q: !t, %k: !t, %v: !t) -> !t {
  %o = sparse_attn.attention mask(#sparse_attn.bigbird<block = 64, window_blocks = 3, random_blocks = 3>)
      ins(%q, %k, %v : !t, !t, !t) outs(%q : !t) -> !t
  return %o : !t
}

// -----

!t = tensor<?x?x?x64xbf16>

// CHECK-LABEL: @masks_of_positions
// CHECK-NOT:     scf.if
func.func @masks_of_positions(%q: !t, %k: !t, %v: !t) -> (!t, !t, !t) {
  %a = sparse_attn.attention mask(#sparse_attn.causal)
      ins(%q, %k, %v : !t, !t, !t) outs(%q : !t) -> !t
  %b = sparse_attn.attention mask(#sparse_attn.longformer<window = 512, global_tokens = [0]>)
      ins(%q, %k, %v : !t, !t, !t) outs(%q : !t) -> !t
  %c = sparse_attn.attention mask(#sparse_attn.sliding_window<left = 1023, right = 0>)
      ins(%q, %k, %v : !t, !t, !t) outs(%q : !t) -> !t
  return %a, %b, %c : !t, !t, !t
}

// -----

!s = tensor<1x2x1024x64xbf16>

// CHECK-LABEL: @known
// CHECK-NOT:     scf.if
func.func @known(%q: !s) -> !s {
  %o = sparse_attn.attention mask(#sparse_attn.bigbird<block = 64, window_blocks = 3, random_blocks = 3>)
      ins(%q, %q, %q : !s, !s, !s) outs(%q : !s) -> !s
  return %o : !s
}

// -----

!t = tensor<?x?x?x64xbf16>

// A tile of a larger attention stands where it is told to.
// CHECK-LABEL: @tile
// CHECK-NOT:     scf.if
func.func @tile(%q: !t, %k: !t, %h: index, %p: index) -> !t {
  %o = sparse_attn.attention mask(#sparse_attn.bigbird<block = 64, window_blocks = 3, random_blocks = 3>)
      ins(%q, %k, %k : !t, !t, !t) origin(%h, %p) outs(%q : !t) -> !t
  return %o : !t
}
