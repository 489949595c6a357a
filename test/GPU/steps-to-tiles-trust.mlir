// Operands that keep their types: the loops trust them, and where the state they end
// with shows that they should not have, exact ones compute the tile again.
//
// RUN: sparse-attn-opt %s --sparse-attn-plan="tile-queries=16 tile-keys=16" \
// RUN:   --sparse-attn-visit-tiles=heavy-splits=4 --sparse-attn-trust-steps --sparse-attn-steps-to-tiles --canonicalize \
// RUN:   | FileCheck %s

// CHECK-LABEL: func.func @window
// CHECK:         scf.forall
//
// Nothing but the mask itself in loops over partial tiles, one product of P and V.
//
// CHECK:           scf.for
// CHECK-NOT:         arith.maximumf {{.*}} : f32
// CHECK:             arith.select %{{.*}}, %{{.*}}, %cst{{.*}} : f32
// CHECK-NOT:         scf.if
// CHECK:             math.fma
// CHECK:             scf.yield
// CHECK:           scf.for
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
// Exact steps keep scores of -inf apart from masked ones, and where V has a NaN or
// an infinity, add up key by key what rows see. One loop visits the tiles of all
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

// A f32 accumulator may overflow, and small results lose some of their parts: exact
// steps multiply weights by a factor of each row, and add up key by key where V or
// weights are so small.
//
// CHECK-LABEL: func.func @single
// CHECK:           scf.for %
// CHECK:           scf.for %
// CHECK:           %[[STATE:.*]]:3 = scf.for
// CHECK:           linalg.generic {{.*}} iterator_types = ["parallel", "reduction"]} ins(%[[STATE]]#2
// CHECK:           %[[SMALLEST:.*]] = linalg.generic {{.*}} iterator_types = ["parallel", "reduction"]} ins(%[[STATE]]#2
// CHECK:             arith.minnumf
// CHECK:           %[[LARGE_ROWS:.*]] = linalg.generic {{.*}} ins(%[[SMALLEST]], %[[STATE]]#1
// CHECK:           %[[LARGE:.*]] = tensor.extract
// CHECK:           %[[BOTH:.*]] = arith.andi %{{.*}}, %[[LARGE]]
// CHECK:           scf.if %[[BOTH]]
// CHECK:             %[[ONE:.*]] = linalg.fill
// CHECK:             scf.yield %[[STATE]]#0, %[[STATE]]#1, %[[STATE]]#2, %[[ONE]]
// CHECK:           } else {
// CHECK:             %[[FACTOR:.*]] = linalg.generic {{.*}} iterator_types = ["parallel"]}
// CHECK:               arith.cmpf olt
// CHECK-NEXT:          arith.select
// CHECK:             %[[EXACT:.*]]:3 = scf.for %
// CHECK:               linalg.generic {{.*}} ins(%[[FACTOR]] : tensor<16xf32>)
// CHECK:                 arith.mulf
// CHECK-COUNT-2:         linalg.yield %{{.*}} : i1
// CHECK:               arith.andi
// CHECK:               scf.if
// CHECK:                 linalg.contract
// CHECK:             scf.yield %[[EXACT]]#0, %[[EXACT]]#1, %[[EXACT]]#2, %[[FACTOR]]
func.func @single(%q: tensor<1x1x64x16xf32>) -> tensor<1x1x64x16xf32> {
  %init = tensor.empty() : tensor<1x1x64x16xf32>
  %o = sparse_attn.attention mask(#sparse_attn.sliding_window<left = 20, right = 20>)
      ins(%q, %q, %q : tensor<1x1x64x16xf32>, tensor<1x1x64x16xf32>, tensor<1x1x64x16xf32>)
      outs(%init : tensor<1x1x64x16xf32>) -> tensor<1x1x64x16xf32>
  return %o : tensor<1x1x64x16xf32>
}

// Trusting steps tell what rows their tiles reach, counted from the tile's first. In exact
// ones the threads of a block meet, whatever rows they have.
//
// CHECK-LABEL: func.func @reach
// CHECK-SAME:    %[[AT:[a-z0-9]+]]: index, %[[A:[a-z0-9]+]]: i32, %[[B:[a-z0-9]+]]: i32)
// CHECK:         arith.index_cast %[[AT]]
// CHECK-DAG:     %[[BEGIN:.*]] = arith.subi %[[A]], %{{.*}}
// CHECK-DAG:     %[[END:.*]] = arith.subi %[[B]], %{{.*}}
// CHECK:         sparse_attn_gpu.live_rows %[[BEGIN]] to %[[END]] full %{{.*}} to %{{.*}}
// CHECK-NOT:     sparse_attn_gpu.live_rows
// CHECK:         return
func.func @reach(%q: tensor<32x16xf16>, %k: tensor<64x16xf16>, %v: tensor<64x16xf16>, %out: tensor<32x16xf16>,
                 %at: index, %a: i32, %b: i32) -> (tensor<32x16xf16>, tensor<32x16xf16>) {
  %s = sparse_attn.initial_state : <32x16xf16, trusting>
  %r = sparse_attn.step %s ins(%q, %k, %v : tensor<32x16xf16>, tensor<64x16xf16>, tensor<64x16xf16>)
      at(%at, %at) keys(64) scale(0.25) reach(%a to %b) full(%b to %a) mask {
      ^bb0(%i: i32, %j: i32):
        %allowed = arith.cmpi sle, %j, %i : i32
        sparse_attn.yield %allowed : i1
      } : !sparse_attn.state<32x16xf16, trusting>
  %settled = sparse_attn.settle %r : <32x16xf16, trusting> -> <32x16xf16>
  %o = sparse_attn.finish %settled scale(0.25) outs(%out : tensor<32x16xf16>) : <32x16xf16>
  %e = sparse_attn.initial_state : <32x16xf16>
  %x = sparse_attn.step %e ins(%q, %k, %v : tensor<32x16xf16>, tensor<64x16xf16>, tensor<64x16xf16>)
      at(%at, %at) keys(64) scale(0.25) reach(%a to %b) full(%b to %a) mask {
      ^bb0(%i: i32, %j: i32):
        %allowed = arith.cmpi sle, %j, %i : i32
        sparse_attn.yield %allowed : i1
      } : !sparse_attn.state<32x16xf16>
  %p = sparse_attn.finish %x scale(0.25) outs(%out : tensor<32x16xf16>) : <32x16xf16>
  return %o, %p : tensor<32x16xf16>, tensor<32x16xf16>
}

// Stored states are merged sixteen at a time, four of the rest, and one by one what is
// left, so that loads do not wait for each other. Of wide states fewer fit a lane's
// registers.
//
// CHECK-LABEL: func.func @stored
// CHECK-SAME:    %[[M:[a-z0-9]+]]: tensor<?x16xf32>, %{{.*}}: tensor<?x16xf32>, %[[A:[a-z0-9]+]]: tensor<?x16x8xf32>
// CHECK:         %[[SIXTEEN:.*]]:4 = scf.for {{.*}} step %c16
// CHECK-COUNT-16:  tensor.extract_slice %[[A]]
// CHECK-NOT:       tensor.extract_slice %[[A]]
// CHECK:         %[[FOUR:.*]]:4 = scf.for {{.*}} step %c4 iter_args(%{{.*}} = %[[SIXTEEN]]#0
// CHECK-COUNT-4:   tensor.extract_slice %[[A]]
// CHECK-NOT:       tensor.extract_slice %[[A]]
// CHECK:         scf.for {{.*}} step %c1 iter_args(%{{.*}} = %[[FOUR]]#0
// CHECK-COUNT-1:   tensor.extract_slice %[[A]]
// CHECK-NOT:     scf.for
// CHECK:         return
func.func @stored(%m: tensor<?x16xf32>, %l: tensor<?x16xf32>, %a: tensor<?x16x8xf32>,
                  %o: tensor<16x8xbf16>) -> tensor<16x8xbf16> {
  %s = sparse_attn.merge_stored %m, %l, %a[] scale(2.5e-01)
      : tensor<?x16xf32>, tensor<?x16xf32>, tensor<?x16x8xf32> -> <16x8xbf16>
  %r = sparse_attn.finish %s scale(2.5e-01) outs(%o : tensor<16x8xbf16>) : <16x8xbf16>
  return %r : tensor<16x8xbf16>
}

// CHECK-LABEL: func.func @stored_wide
// CHECK:         scf.for {{.*}} step %c1
// CHECK-NOT:     scf.for
// CHECK:         return
func.func @stored_wide(%m: tensor<?x64xf32>, %l: tensor<?x64xf32>, %a: tensor<?x64x64xf32>,
                       %o: tensor<64x64xbf16>) -> tensor<64x64xbf16> {
  %s = sparse_attn.merge_stored %m, %l, %a[] scale(2.5e-01)
      : tensor<?x64xf32>, tensor<?x64xf32>, tensor<?x64x64xf32> -> <64x64xbf16>
  %r = sparse_attn.finish %s scale(2.5e-01) outs(%o : tensor<64x64xbf16>) : <64x64xbf16>
  return %r : tensor<64x64xbf16>
}
