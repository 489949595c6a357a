// RUN: sparse-attn-opt %s --sparse-attn-plan="tile-queries=16 tile-keys=16" --sparse-attn-visit-tiles --canonicalize \
// RUN:   | FileCheck %s

!t = tensor<1x4x64x16xf32>
func.func @causal(%q: !t, %k: !t, %v: !t, %init: !t) -> !t {
  %o = sparse_attn.attention mask(#sparse_attn.causal) ins(%q, %k, %v : !t, !t, !t) outs(%init : !t) -> !t
  return %o : !t
}

// CHECK:      scf.forall (%{{.*}}, %[[HEAD:.*]], %[[QT:.*]]) in (1, 4, 4) shared_outs(%[[OUT:.*]] = %{{.*}}) -> (tensor<1x4x64x16xf32>) {
// CHECK:        %[[Q_TILE:.*]] = tensor.extract_slice %{{.*}} : tensor<1x4x64x16xf32> to tensor<16x16xf32>
// CHECK:        %[[S:.*]] = sparse_attn.initial_state : <16x16xf32>
// CHECK:        %[[P:.*]] = scf.for %[[T:.*]] = {{.*}} iter_args(%[[STATE:.*]] = %[[S]]) -> (!sparse_attn.state<16x16xf32>) {
// CHECK:          sparse_attn.step %[[STATE]] ins(%[[Q_TILE]], {{.*}} mask {
// CHECK-NEXT:     ^bb0(%[[I:.*]]: i32, %[[J:.*]]: i32):
// CHECK-NEXT:       %[[END:.*]] = arith.addi %[[I]], %{{.*}} : i32
// CHECK-NEXT:       %[[ALLOWED:.*]] = arith.cmpi slt, %[[J]], %[[END]] : i32
// CHECK-NEXT:       sparse_attn.yield %[[ALLOWED]] : i1
// CHECK-NEXT:     } : <16x16xf32>
// CHECK:        %[[F:.*]] = scf.for %[[T:.*]] = {{.*}} iter_args(%[[STATE:.*]] = %[[P]]) -> (!sparse_attn.state<16x16xf32>) {
// CHECK:          sparse_attn.step %[[STATE]] ins(%[[Q_TILE]], {{.*}} : <16x16xf32>
// CHECK:        %[[O_TILE:.*]] = sparse_attn.finish %[[F]] scale(2.500000e-01) outs(%{{.*}} : tensor<16x16xf32>) : <16x16xf32>
// CHECK:        scf.forall.in_parallel {
// CHECK-NEXT:     tensor.parallel_insert_slice %[[O_TILE]] into %[[OUT]]{{.*}} : tensor<16x16xf32> into tensor<1x4x64x16xf32>
// CHECK:      } {mapping = [#sparse_attn.grid<0>, #sparse_attn.grid<1>, #sparse_attn.grid<2>]}
