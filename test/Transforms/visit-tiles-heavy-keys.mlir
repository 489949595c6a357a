// Split rows that are fewer than a tile has, in steps of fewer keys than a tile has.
//
// RUN: sparse-attn-opt %s --sparse-attn-plan="tile-queries=32 tile-keys=64" \
// RUN:   --sparse-attn-visit-tiles="heavy-splits=4 heavy-keys=32" --canonicalize | FileCheck %s
// RUN: sparse-attn-opt %s --sparse-attn-plan="tile-queries=32 tile-keys=64" \
// RUN:   --sparse-attn-visit-tiles="heavy-splits=4 heavy-keys=40" --canonicalize | FileCheck %s --check-prefix=DIVIDING
// RUN: sparse-attn-opt %s --sparse-attn-plan="tile-queries=16 tile-keys=64" \
// RUN:   --sparse-attn-visit-tiles="heavy-splits=4 heavy-keys=32" --canonicalize | FileCheck %s --check-prefix=WHOLE

!t = tensor<1x2x?x16xf32>
func.func @longformer(%q: !t, %k: !t, %v: !t, %init: !t) -> !t {
  %o = sparse_attn.attention mask(#sparse_attn.longformer<window = 8, global_tokens = [0]>)
      ins(%q, %k, %v : !t, !t, !t) outs(%init : !t) -> !t
  return %o : !t
}

// The row has 16 of its tile's 32, and a step the half of a tile's 64 keys: of twice as
// many steps, number t is at 64 (t / 2) + 32 (t mod 2). Of a last tile that keys do not
// fill, the second step may have none.
//
// CHECK-LABEL: func.func @longformer
// CHECK:         scf.forall ({{.*}}) in (1, 2, %{{.*}}, 4)
// CHECK:           %[[INITIAL:.*]] = sparse_attn.initial_state : <16x16xf32>
// CHECK:           scf.for %[[T:.*]] = %{{.*}} to
// CHECK:             %[[TILE:.*]] = arith.floordivsi %[[T]], %c2
// CHECK:             %[[FIRST:.*]] = arith.muli %{{.*}}, %c64
// CHECK:             %[[BEFORE:.*]] = arith.muli %[[TILE]], %c2
// CHECK:             %[[REST:.*]] = arith.subi %[[T]], %[[BEFORE]]
// CHECK:             %[[SHIFT:.*]] = arith.muli %[[REST]], %c32
// CHECK:             %[[KEY:.*]] = arith.addi %[[FIRST]], %[[SHIFT]]
// CHECK:             %[[THERE:.*]] = arith.subi %{{.*}}, %[[KEY]]
// CHECK:             %[[SOME:.*]] = arith.minsi %[[THERE]], %c32
// CHECK:             %[[ROWS:.*]] = arith.maxsi %[[SOME]], %c0
// CHECK:             tensor.extract_slice {{.*}}[0, %{{.*}}, %[[KEY]], 0] [1, 1, %[[ROWS]], 16]
// CHECK:             sparse_attn.step {{.*}} keys(32)
// CHECK:           scf.for
// CHECK:             tensor.extract_slice {{.*}} to tensor<32x16xf32>
//
// Ordinary rows take whole tiles.
// CHECK:         scf.forall ({{.*}}) in (1, 2, %{{[a-z0-9_]*}})
// CHECK:           sparse_attn.step {{.*}} keys(64)

// A step has a part of a tile that divides it, and whole granules of 16 keys.
//
// DIVIDING-LABEL: func.func @longformer
// DIVIDING:         scf.forall ({{.*}}) in (1, 2, %{{.*}}, 4)
// DIVIDING:           sparse_attn.step {{.*}} keys(32)

// Where tiles have no more rows than these, parts take whole tiles.
//
// WHOLE-LABEL: func.func @longformer
// WHOLE:         scf.forall ({{.*}}) in (1, 2, %{{.*}}, 4)
// WHOLE-NOT:       keys(32)
// WHOLE:         scf.forall
