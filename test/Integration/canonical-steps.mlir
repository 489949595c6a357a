// Steps that were canonicalised still lower, for every target, and give what the whole
// gives: ragged tiles whose number of rows is known then, rows in parts along the keys,
// loops that run once.
//
// RUN: sparse-attn-opt %s --sparse-attn-plan="tile-queries=32 tile-keys=32" --sparse-attn-visit-tiles --canonicalize --cse -o %t.steps.mlir
// RUN: FileCheck %s --input-file=%t.steps.mlir
// CHECK: sparse_attn.step {{.*}} tensor<?x16xf32>
// CHECK: sparse_attn.grid
// RUN: sparse-attn-opt %t.steps.mlir --sparse-attn-tile-to-linalg --canonicalize -o %t.linalg.mlir
// RUN: sparse-attn-opt %t.steps.mlir --sparse-attn-steps-to-lanes --canonicalize -o %t.lanes.mlir
// RUN: sparse-attn-opt %t.steps.mlir --sparse-attn-steps-to-tiles --canonicalize -o /dev/null
// RUN: sparse-attn-opt %t.steps.mlir --sparse-attn-trust-steps --canonicalize -o %t.trusting.mlir
//
// RUN: %python %S/Inputs/same_results.py one_tile %s %t.steps.mlir %t.steps.mlir:emulator %t.linalg.mlir %t.lanes.mlir %t.trusting.mlir
// RUN: %python %S/Inputs/same_results.py grouped %s %t.steps.mlir %t.steps.mlir:emulator %t.linalg.mlir %t.lanes.mlir %t.trusting.mlir

!one = tensor<1x1x20x16xf32>
!one_lse = tensor<1x1x20xf32>
func.func @one_tile(%q: !one, %k: !one, %v: !one) -> (!one, !one_lse) {
  %init = tensor.empty() : !one
  %lse = tensor.empty() : !one_lse
  %o:2 = sparse_attn.attention mask(#sparse_attn.longformer<window = 8, global_tokens = [0]>)
      ins(%q, %k, %v : !one, !one, !one) outs(%init, %lse : !one, !one_lse) -> !one, !one_lse
  return %o#0, %o#1 : !one, !one_lse
}

!q = tensor<1x4x200x16xf16>
!k = tensor<1x2x200x16xf16>
!v = tensor<1x2x200x32xf16>
!o = tensor<1x4x200x32xf16>
!lse = tensor<1x4x200xf32>
func.func @grouped(%q: !q, %k: !k, %v: !v) -> (!o, !lse) {
  %init = tensor.empty() : !o
  %lse = tensor.empty() : !lse
  %o:2 = sparse_attn.attention mask(#sparse_attn.bigbird<block = 16, window_blocks = 3, random_blocks = 1>)
      ins(%q, %k, %v : !q, !k, !v) outs(%init, %lse : !o, !lse) -> !o, !lse
  return %o#0, %o#1 : !o, !lse
}
