// Operands that keep their types: the loops trust them, and where the state they end
// with shows that they should not have, careful ones compute the tile again.
//
// RUN: sparse-attn-opt %s --sparse-attn-plan="tile-queries=16 tile-keys=16" \
// RUN:   --sparse-attn-tile-to-linalg="queries-inner=false keep-types heavy-splits=4" --canonicalize | FileCheck %s

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
// Careful steps keep scores of -inf apart from masked ones, and where V has a NaN or
// an infinity, add up key by key what rows see. One loop visits the tiles of both
// kinds, with the mask.
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

// A part of a heavy class has some tiles of each kind: the careful loop's places are
// those of the partial tiles, then those of the full ones behind what other parts
// have of the partial.
//
// CHECK-LABEL: func.func @parts
// CHECK:         scf.forall (%{{.*}}, %{{.*}}, %{{.*}}, %[[PART:.*]]) in (1, 1, 4, 4)
// CHECK:           %[[PARTIAL:.*]] = arith.floordivsi %[[PART]], %c4
// CHECK:           %[[PARTIAL_END:.*]] = arith.floordivsi %{{.*}}, %c4
// CHECK:           %[[FULL:.*]] = arith.floordivsi %{{.*}}, %c4
// CHECK:           %[[FULL_END:.*]] = arith.floordivsi %{{.*}}, %c4
// CHECK:           } else {
// CHECK:             %[[COUNT:.*]] = arith.subi %[[FULL_END]], %[[FULL]]
// CHECK:             %[[END:.*]] = arith.addi %[[PARTIAL_END]], %[[COUNT]]
// CHECK:             %[[OTHERS:.*]] = arith.subi %c1, %[[PARTIAL_END]]
// CHECK:             %[[GAP:.*]] = arith.addi %[[OTHERS]], %[[FULL]]
// CHECK:             scf.for %[[T:[a-z0-9]+]] = %[[PARTIAL]] to %[[END]]
// CHECK-DAG:           %[[IS_FULL:.*]] = arith.cmpi sge, %[[T]], %[[PARTIAL_END]]
// CHECK-DAG:           %[[MOVED:.*]] = arith.addi %[[T]], %[[GAP]]
// CHECK:               arith.select %[[IS_FULL]], %[[MOVED]], %[[T]]
func.func @parts(%q: tensor<1x1x60x16xf16>) -> tensor<1x1x60x16xf16> {
  %init = tensor.empty() : tensor<1x1x60x16xf16>
  %o = sparse_attn.attention mask(#sparse_attn.full)
      plan(<tile = [16, 16], rows = [<"0" to "60", heavy = true,
                                      segments = [<full "0" to "3">, <partial "3" to "4">]>]>)
      ins(%q, %q, %q : tensor<1x1x60x16xf16>, tensor<1x1x60x16xf16>, tensor<1x1x60x16xf16>)
      outs(%init : tensor<1x1x60x16xf16>) -> tensor<1x1x60x16xf16>
  return %o : tensor<1x1x60x16xf16>
}

// A f32 accumulator may overflow, and small results lose some of their parts: careful
// steps multiply weights by a factor of each row, and add up small results key by key.
//
// CHECK-LABEL: func.func @single
// CHECK:           scf.for %
// CHECK:           %[[STATE:.*]]:3 = scf.for
// CHECK:           linalg.generic {{.*}} iterator_types = ["parallel", "reduction"]} ins(%[[STATE]]#2
// CHECK:           %[[SMALLEST:.*]] = linalg.generic {{.*}} iterator_types = ["parallel", "reduction"]} ins(%[[STATE]]#2
// CHECK:             arith.minnumf
// CHECK:           %[[LARGE_ROWS:.*]] = linalg.generic {{.*}} ins(%[[SMALLEST]], %[[STATE]]#1
// CHECK:           %[[LARGE:.*]] = tensor.extract
// CHECK:           %[[BOTH:.*]] = arith.andi %{{.*}}, %[[LARGE]]
// CHECK:           scf.if %[[BOTH]]
// CHECK:             scf.yield %[[STATE]]#0, %[[STATE]]#2, %[[STATE]]#1
// CHECK:           } else {
// CHECK:             %[[FACTOR:.*]] = linalg.generic {{.*}} iterator_types = ["parallel"]}
// CHECK:               arith.cmpf olt
// CHECK-NEXT:          arith.select
// CHECK:             scf.for %
// CHECK:               linalg.generic {{.*}} ins(%[[FACTOR]] : tensor<16xf32>)
// CHECK:                 arith.mulf
// CHECK:               arith.andi %{{.*}}, %[[LARGE]]
// CHECK:               scf.if
// CHECK:                 linalg.contract
// CHECK:             linalg.generic {{.*}} ins(%{{.*}}, %[[FACTOR]] :
func.func @single(%q: tensor<1x1x64x16xf32>) -> tensor<1x1x64x16xf32> {
  %init = tensor.empty() : tensor<1x1x64x16xf32>
  %o = sparse_attn.attention mask(#sparse_attn.sliding_window<left = 20, right = 20>)
      ins(%q, %q, %q : tensor<1x1x64x16xf32>, tensor<1x1x64x16xf32>, tensor<1x1x64x16xf32>)
      outs(%init : tensor<1x1x64x16xf32>) -> tensor<1x1x64x16xf32>
  return %o : tensor<1x1x64x16xf32>
}
