// Loops of steps that trust their operands; where the state they end with shows that
// they should not have, exact steps compute the tile again.
//
// RUN: sparse-attn-opt %s --sparse-attn-plan="tile-queries=16 tile-keys=16" \
// RUN:   --sparse-attn-visit-tiles=heavy-splits=4 --sparse-attn-trust-steps --canonicalize \
// RUN:   | FileCheck %s --check-prefix=STEP
// RUN: sparse-attn-opt %s --sparse-attn-plan="tile-queries=16 tile-keys=16" \
// RUN:   --sparse-attn-visit-tiles=heavy-splits=4 --sparse-attn-trust-steps --sparse-attn-steps-to-tiles \
// RUN:   --canonicalize | FileCheck %s

// STEP-LABEL: func.func @window
// STEP:           %[[INITIAL:.*]] = sparse_attn.initial_state : <16x16xf16>
// STEP:           %[[PARTIAL:.*]] = scf.for {{.*}} iter_args(%{{.*}} = %[[INITIAL]])
// STEP:             sparse_attn.step {{.*}} scale(2.500000e-01) trusting mask {
// STEP:           %[[STATE:.*]] = scf.for {{.*}} iter_args(%{{.*}} = %[[PARTIAL]])
// STEP:             sparse_attn.step {{.*}} scale(2.500000e-01) trusting : <16x16xf16>
// STEP:           %[[TRUSTED:.*]] = sparse_attn.is_trusted %[[STATE]] rows(%c16) scale(2.500000e-01)
// STEP:           %[[RESULT:.*]] = scf.if %[[TRUSTED]] -> (!sparse_attn.state<16x16xf16>) {
// STEP-NEXT:        scf.yield %[[STATE]]
// STEP-NEXT:      } else {
// STEP:             %[[EXACT:.*]] = scf.for {{.*}} iter_args(%{{.*}} = %[[INITIAL]])
// STEP:               sparse_attn.step {{.*}} scale(2.500000e-01) mask {
// STEP:             %[[END:.*]] = scf.for {{.*}} iter_args(%{{.*}} = %[[EXACT]])
// STEP:               sparse_attn.step {{.*}} scale(2.500000e-01) : <16x16xf16>
// STEP:             scf.yield %[[END]]
// STEP:           sparse_attn.finish %[[RESULT]]

// CHECK-LABEL: func.func @window
// CHECK:         scf.forall
//
// Nothing but the mask itself in the loop over partial tiles, one product of P and V.
//
// CHECK:           scf.for
// CHECK-NOT:         arith.maximumf {{.*}} : f32
// CHECK:             arith.select %{{.*}}, %{{.*}}, %cst{{.*}} : f32
// CHECK-NOT:         scf.if
// CHECK:             math.fma
// CHECK:             scf.yield
// CHECK:           %[[STATE:.*]]:3 = scf.for
//
// Rows that are trusted have a score, numbers only, and a maximum that is not large;
// or they do not exist.
//
// CHECK:           %[[SIZES:.*]] = linalg.generic {{.*}} iterator_types = ["parallel", "reduction"]} ins(%[[STATE]]#2
// CHECK:           %[[ROWS:.*]] = linalg.generic {{.*}} ins(%[[STATE]]#0, %[[STATE]]#1, %[[SIZES]]
// CHECK:             arith.cmpf ogt
// CHECK:             arith.cmpf olt
// CHECK:             linalg.yield %{{.*}} : i1
// CHECK:           linalg.generic {{.*}} iterator_types = ["reduction"]} ins(%[[ROWS]]
// CHECK:             arith.andi
// CHECK:           %[[TRUSTED:.*]] = tensor.extract
// CHECK:           scf.if %[[TRUSTED]]
// CHECK:             scf.yield %[[STATE]]#0, %[[STATE]]#1, %[[STATE]]#2
// CHECK:           } else {
//
// Exact steps keep scores of -inf apart from masked ones, and where V has a NaN or an
// infinity, add up key by key what rows see; in full tiles they see every key.
//
// CHECK:             scf.for
// CHECK:               arith.maximumf
// CHECK:               arith.select
// CHECK:               %[[FINITE:.*]] = tensor.extract
// CHECK:               scf.if %[[FINITE]]
// CHECK:                 linalg.contract
// CHECK:               } else {
// CHECK:                 scf.for %[[KEY:[a-z0-9]+]] =
// CHECK:                   tensor.extract_slice %{{.*}}[%[[KEY]], 0] [1, 16] [1, 1]
// CHECK:                   math.fma
// CHECK:                   arith.select
// CHECK:             scf.for
// CHECK-NOT:           scf.if
// CHECK-COUNT-2:       linalg.contract
// CHECK-NOT:         linalg.contract
// CHECK:           scf.forall.in_parallel
func.func @window(%q: tensor<1x1x64x16xf16>, %k: tensor<1x1x64x16xf16>,
                  %v: tensor<1x1x64x16xf16>) -> tensor<1x1x64x16xf16> {
  %init = tensor.empty() : tensor<1x1x64x16xf16>
  %o = sparse_attn.attention mask(#sparse_attn.sliding_window<left = 20, right = 20>)
      ins(%q, %k, %v : tensor<1x1x64x16xf16>, tensor<1x1x64x16xf16>, tensor<1x1x64x16xf16>)
      outs(%init : tensor<1x1x64x16xf16>) -> tensor<1x1x64x16xf16>
  return %o : tensor<1x1x64x16xf16>
}

// Parts of a heavy class end with a state that is stored, and are tested each; the
// merge takes no step, so that nothing is there to trust.
//
// STEP-LABEL: func.func @parts
// STEP:         scf.forall (%{{.*}}, %{{.*}}) in (4, 4)
// STEP:           sparse_attn.step {{.*}} trusting
// STEP:           %[[RESULT:.*]] = scf.if
// STEP:             sparse_attn.step {{.*}} scale({{.*}}) mask
// STEP:           sparse_attn.store_state %[[RESULT]]
// STEP:         scf.forall
// STEP-NOT:       sparse_attn.is_trusted
// STEP:           sparse_attn.finish
//
// CHECK-LABEL: func.func @parts
// CHECK:         scf.forall {{.*}} in (1, 1, 4, 4)
// CHECK:         } {mapping = [#gpu.block<linear_dim_3>, #gpu.block<linear_dim_2>, #gpu.block<linear_dim_1>, #gpu.block<linear_dim_0>]}
// CHECK-NOT:     sparse_attn.grid
func.func @parts(%q: tensor<1x1x60x16xf16>) -> tensor<1x1x60x16xf16> {
  %init = tensor.empty() : tensor<1x1x60x16xf16>
  %o = sparse_attn.attention mask(#sparse_attn.full)
      plan(<tile = [16, 16], rows = [<"0" to "60", heavy = true,
                                      segments = [<full "0" to "3">, <partial "3" to "4">]>]>)
      ins(%q, %q, %q : tensor<1x1x60x16xf16>, tensor<1x1x60x16xf16>, tensor<1x1x60x16xf16>)
      outs(%init : tensor<1x1x60x16xf16>) -> tensor<1x1x60x16xf16>
  return %o : tensor<1x1x60x16xf16>
}
