// Steps as linalg on f32 tiles with the queries in the lanes: scores are keys x queries,
// the accumulator is values x queries; what leaves a loop nest has its rows outermost.
//
// RUN: sparse-attn-opt %s --sparse-attn-visit-tiles=heavy-splits=4 --sparse-attn-trust-steps=trust=sums \
// RUN:   --sparse-attn-steps-to-lanes --canonicalize | FileCheck %s
// RUN: sparse-attn-opt %s --sparse-attn-visit-tiles=heavy-splits=1 --sparse-attn-trust-steps=trust=sums \
// RUN:   --sparse-attn-steps-to-lanes --canonicalize | FileCheck %s --check-prefix=WHOLE

// The whole algorithm.
//
// CHECK-LABEL: func.func @causal
// CHECK-SAME:    %[[Q:[a-z0-9]+]]: tensor<1x4x64x16xf32>, %[[K:[a-z0-9]+]]: tensor<1x2x128x16xf32>, %[[V:[a-z0-9]+]]: tensor<1x2x128x24xf32>
// CHECK-DAG:     %[[MINF:.*]] = arith.constant 0xFF800000 : f32
// CHECK-DAG:     %[[LOWEST:.*]] = arith.constant -3.40282347E+38 : f32
// CHECK-DAG:     %[[SCALE:.*]] = arith.constant 2.500000e-01 : f32
// One task a (head, query tile):
// CHECK:         scf.forall (%[[H:.*]], %[[T:.*]]) in (4, 4) shared_outs(%[[O:.*]] = %{{.*}}, %[[L:.*]] = %{{.*}})
// CHECK:           %[[H32:.*]] = arith.index_castui %[[H]] : index to i32
// CHECK:           %[[HK32:.*]] = arith.divui %[[H32]], %c2_i32
// CHECK:           %[[HK:.*]] = arith.index_castui %[[HK32]]
// CHECK:           %[[ROW:.*]] = arith.muli %[[T]], %c16
// The query tile, transposed and multiplied by the scale, here a power of two:
// CHECK:           tensor.extract_slice %[[Q]][0, %[[H]], %[[ROW]], 0] [1, 1, 16, 16]
// CHECK:           %[[QT:.*]] = linalg.generic
// CHECK:             arith.mulf %{{.*}}, %[[SCALE]]
// State: running maximum, row sum, accumulator; and a factor of the weights.
// CHECK:           %[[M0:.*]] = linalg.fill ins(%[[MINF]] : f32) {{.*}} -> tensor<16xf32>
// CHECK:           %[[L0:.*]] = linalg.fill {{.*}} -> tensor<16xf32>
// CHECK:           %[[A0:.*]] = linalg.fill {{.*}} -> tensor<24x16xf32>
// CHECK:           %[[F0:.*]] = linalg.fill {{.*}} -> tensor<16xf32>
// CHECK:           %[[DONE:.*]]:4 = scf.while (%[[MC:.*]] = %[[M0]], %[[LC:.*]] = %[[L0]], %[[AC:.*]] = %[[A0]], %[[FC:.*]] = %[[F0]], %[[AGAIN:.*]] = %false)
// Partial tiles first:
// CHECK:           %[[P:.*]]:3 = scf.for {{.*}} iter_args(%[[M:.*]] = %[[MC]], %[[LS:.*]] = %[[LC]], %[[A:.*]] = %[[AC]])
// CHECK:             %[[KT:.*]] = tensor.extract_slice %[[K]][0, %[[HK]], %{{.*}}, 0] [1, 1, 32, 16]
// CHECK:             %[[VT:.*]] = tensor.extract_slice %[[V]][0, %[[HK]]
// CHECK:             linalg.generic {{.*}} ins(%[[KT]], %[[QT]] : tensor<32x16xf32>, tensor<16x16xf32>)
// A live score of -inf is told from a masked one:
// CHECK:               %[[LIVE:.*]] = arith.cmpi slt
// CHECK:               %[[BELOW:.*]] = arith.cmpf olt, %[[SCORE:.*]], %[[LOWEST]]
// CHECK:               %[[CLAMPED:.*]] = arith.select %[[BELOW]], %[[LOWEST]], %[[SCORE]]
// CHECK:               arith.select %[[LIVE]], %[[CLAMPED]], %[[MINF]]
// A row may have no key so far, and nothing below the lowest number, so not
// -inf, is subtracted from its scores.
// CHECK:             linalg.fill ins(%[[MINF]]
// CHECK:               arith.maxnumf
// CHECK:               arith.cmpf olt, %{{.*}}, %[[LOWEST]]
// P and alpha in nats: the unit is 1 and needs no factor.
// CHECK:               %[[D0:.*]] = arith.subf
// CHECK-NEXT:          math.exp %[[D0]] fastmath<afn>
// CHECK:               %[[D1:.*]] = arith.subf
// CHECK-NEXT:          math.exp %[[D1]] fastmath<afn>
// l' = alpha l + sum P,  A' = alpha A + V^T P, the product from zero:
// CHECK:               arith.addf {{.*}} fastmath<reassoc>
// CHECK:               scf.if %[[AGAIN]] -> (tensor<32x16xf32>) {
// CHECK:                 linalg.generic {{.*}} ins(%[[FC]] : tensor<16xf32>)
// CHECK:                   arith.mulf
// CHECK:               math.fma
// A NaN or infinity in V makes the sum of 0 V a NaN. The usual case has none:
// CHECK:             linalg.generic {{.*}} ins(%[[VT]] : tensor<32x24xf32>)
// CHECK:             %[[CHECK:.*]] = linalg.generic {{.*}} ins(%{{.*}} : tensor<24xf32>)
// CHECK:             %[[ZEROS:.*]] = tensor.extract %[[CHECK]][]
// CHECK:             %[[FINITE:.*]] = arith.cmpf oeq, %[[ZEROS]],
// CHECK:             scf.if %[[FINITE]] -> (tensor<24x16xf32>) {
// CHECK:               linalg.fill {{.*}} -> tensor<24x16xf32>
// CHECK:               linalg.generic {{.*}} ins(%[[VT]], %{{.*}} : tensor<32x24xf32>, tensor<32x16xf32>)
// CHECK:                 math.fma
// Otherwise masked pairs, by the mask once more, add nothing.
// CHECK:             } else {
// CHECK:               %[[MASK:.*]] = linalg.generic
// CHECK:                 arith.cmpi slt
// CHECK:               linalg.generic {{.*}} ins(%[[MASK]], %{{.*}}, %[[VT]] :
// CHECK:                 %[[TERM:.*]] = arith.mulf
// CHECK:                 arith.select %{{.*}}, %[[TERM]], %{{.*}}
// CHECK:               math.fma
// CHECK:             }
// CHECK:             scf.yield
// Then the full tiles, without mask and guard:
// CHECK:           %[[F:.*]]:3 = scf.for {{.*}} = %[[P]]#0, {{.*}} = %[[P]]#1, {{.*}} = %[[P]]#2)
// CHECK-NOT:         arith.cmp
// CHECK-NOT:         arith.select
// CHECK:             linalg.fill ins(%[[LOWEST]]
// CHECK-NOT:         arith.cmp
// CHECK-NOT:         arith.select
// CHECK:             scf.if %[[AGAIN]]
// CHECK:             } else {
// CHECK-NOT:         arith.cmp
// CHECK-NOT:         arith.select
// CHECK:             scf.yield %{{.*}}, %{{.*}}, %{{.*}} :
// The loops run a second time where A has overflowed, from a new state, with a factor
// below 1 for the rows that have:
// CHECK:             linalg.generic {{.*}} ins(%[[F]]#2 : tensor<24x16xf32>)
// CHECK:             %[[ENDS:.*]] = arith.ori %{{.*}}, %[[AGAIN]]
// CHECK:             %[[REPEATS:.*]] = arith.xori %[[ENDS]], %true
// CHECK:             scf.condition(%[[REPEATS]]) %[[F]]#0, %[[F]]#1, %[[F]]#2, %[[FC]]
// CHECK:           } do {
// CHECK:           ^bb0(%[[MD:.*]]: tensor<16xf32>, %{{.*}}: tensor<16xf32>, %[[AD:.*]]: tensor<24x16xf32>, %[[FD:.*]]: tensor<16xf32>):
// CHECK:             linalg.generic {{.*}} ins(%[[AD]] : tensor<24x16xf32>)
// CHECK:             %[[FACTOR:.*]] = linalg.generic {{.*}} outs(%[[FD]] : tensor<16xf32>)
// CHECK:               arith.select
// CHECK:             %[[START:.*]] = linalg.fill ins(%[[MINF]] : f32) outs(%[[MD]] : tensor<16xf32>)
// CHECK:             scf.yield %[[START]], %{{.*}}, %{{.*}}, %[[FACTOR]], %true
// Epilogue: O = A / l, LSE = m + ln l; rows without a key and
// rows of which all scores are -inf are told apart by m.
// CHECK:             %[[EMPTY:.*]] = arith.cmpf oeq, %{{.*}}, %[[MINF]]
// CHECK:             arith.select %[[EMPTY]]
// CHECK:             arith.cmpf oeq, %{{.*}}, %[[LOWEST]]
// CHECK:           %[[OT:.*]] = linalg.generic {{.*}} ins(%[[DONE]]#2,
// CHECK:             arith.divf
// CHECK:             math.log
// CHECK:             math.fma
// CHECK:             arith.cmpf oeq, %{{.*}}, %[[LOWEST]]
// CHECK:             tensor.parallel_insert_slice %[[OT]] into %[[O]][0, %[[H]], %[[ROW]], 0] [1, 1, 16, 24]
// CHECK:             tensor.parallel_insert_slice %{{.*}} into %[[L]][0, %[[H]], %[[ROW]]] [1, 1, 16]
func.func @causal(%q: tensor<1x4x64x16xf32>, %k: tensor<1x2x128x16xf32>, %v: tensor<1x2x128x24xf32>,
                  %init: tensor<1x4x64x24xf32>, %lse: tensor<1x4x64xf32>)
    -> (tensor<1x4x64x24xf32>, tensor<1x4x64xf32>) {
  %o:2 = sparse_attn.attention mask(#sparse_attn.causal)
      plan(<tile = [16, 32], rows = [<"0" to "64", segments = [
             <full "0" to "(q * 16 + 65) floordiv 32">,
             <partial "(q * 16 + 65) floordiv 32" to "(q * 16 + 111) floordiv 32">]>]>)
      ins(%q, %k, %v : tensor<1x4x64x16xf32>, tensor<1x2x128x16xf32>, tensor<1x2x128x24xf32>)
      outs(%init, %lse : tensor<1x4x64x24xf32>, tensor<1x4x64xf32>)
      -> tensor<1x4x64x24xf32>, tensor<1x4x64xf32>
  return %o#0, %o#1 : tensor<1x4x64x24xf32>, tensor<1x4x64xf32>
}

// All segments of a kind share one loop, and so one copy of its body: place t
// is mapped to a key tile by where the segments begin.
//
// CHECK-LABEL: func.func @segments_share_a_loop
// CHECK:         scf.forall
// CHECK:           scf.for %[[PLACE:[a-z0-9]+]] =
// CHECK:             %[[REACHED:.*]] = arith.cmpi sge, %[[PLACE]], %c1
// CHECK:             arith.select %[[REACHED]]
// CHECK-NOT:       scf.for
// CHECK:           scf.forall.in_parallel
func.func @segments_share_a_loop(%q: tensor<1x1x64x16xf32>) -> tensor<1x1x64x16xf32> {
  %init = tensor.empty() : tensor<1x1x64x16xf32>
  %o = sparse_attn.attention mask(#sparse_attn.streaming<sinks = 4, window = 16>)
      plan(<tile = [16, 16], rows = [<"0" to "64", segments = [
             <partial "0" to "1">, <partial "max(1, q - 1)" to "q + 1">]>]>)
      ins(%q, %q, %q : tensor<1x1x64x16xf32>, tensor<1x1x64x16xf32>, tensor<1x1x64x16xf32>)
      outs(%init : tensor<1x1x64x16xf32>) -> tensor<1x1x64x16xf32>
  return %o : tensor<1x1x64x16xf32>
}

// A scale that is no power of two: Q takes its sign and power of two, and the
// exponent the rest, in [1, 2), in a product that need not be rounded.
//
// CHECK-LABEL: func.func @scale
// CHECK-DAG:     %[[POWER:.*]] = arith.constant -2.500000e-01 : f32
// CHECK-DAG:     %[[UNIT:.*]] = arith.constant 1.200000e+00 : f32
// CHECK:         arith.mulf %{{.*}}, %[[POWER]]
// CHECK:         %[[D:.*]] = arith.subf
// CHECK:         %[[NATS:.*]] = arith.mulf %[[D]], %[[UNIT]] fastmath<contract>
// CHECK:         math.exp %[[NATS]] fastmath<afn>
func.func @scale(%q: tensor<1x1x16x16xf32>) -> tensor<1x1x16x16xf32> {
  %o = sparse_attn.attention mask(#sparse_attn.full) scale(-0.3)
      plan(<tile = [16, 16], rows = [<"0" to "16", segments = [<full "0" to "1">]>]>)
      ins(%q, %q, %q : tensor<1x1x16x16xf32>, tensor<1x1x16x16xf32>, tensor<1x1x16x16xf32>)
      outs(%q : tensor<1x1x16x16xf32>) -> tensor<1x1x16x16xf32>
  return %o : tensor<1x1x16x16xf32>
}

// A scale above 1 stays out of Q, which it could make overflow; a scale of 0
// goes into Q altogether, as 0 times the -inf of a masked score is NaN.
//
// CHECK-LABEL: func.func @large_scale
// CHECK:         %[[UNIT:.*]] = arith.constant 3.000000e+00 : f32
// The product of K and Q is the first multiplication.
// CHECK-NOT:     arith.mulf
// CHECK:         %[[PRODUCT:.*]] = arith.mulf
// CHECK-NEXT:    arith.addf %{{.*}}, %[[PRODUCT]]
// CHECK:         %[[D:.*]] = arith.subf
// CHECK-NEXT:    arith.mulf %[[D]], %[[UNIT]] fastmath<contract>
func.func @large_scale(%q: tensor<1x1x16x16xf32>) -> tensor<1x1x16x16xf32> {
  %o = sparse_attn.attention mask(#sparse_attn.full) scale(3.0)
      plan(<tile = [16, 16], rows = [<"0" to "16", segments = [<full "0" to "1">]>]>)
      ins(%q, %q, %q : tensor<1x1x16x16xf32>, tensor<1x1x16x16xf32>, tensor<1x1x16x16xf32>)
      outs(%q : tensor<1x1x16x16xf32>) -> tensor<1x1x16x16xf32>
  return %o : tensor<1x1x16x16xf32>
}

// CHECK-LABEL: func.func @zero_scale
// CHECK:         %[[ZERO:.*]] = arith.constant 0.000000e+00 : f32
// CHECK:         arith.mulf %{{.*}}, %[[ZERO]]
// CHECK:         %[[D:.*]] = arith.subf
// CHECK-NEXT:    math.exp %[[D]]
func.func @zero_scale(%q: tensor<1x1x16x16xf32>) -> tensor<1x1x16x16xf32> {
  %o = sparse_attn.attention mask(#sparse_attn.full) scale(0.0)
      plan(<tile = [16, 16], rows = [<"0" to "16", segments = [<full "0" to "1">]>]>)
      ins(%q, %q, %q : tensor<1x1x16x16xf32>, tensor<1x1x16x16xf32>, tensor<1x1x16x16xf32>)
      outs(%q : tensor<1x1x16x16xf32>) -> tensor<1x1x16x16xf32>
  return %o : tensor<1x1x16x16xf32>
}

// Dynamic lengths, 16-bit elements: the last tiles are cut, their rest is
// zeros in the f32 tile; no row sees a key past the end; the result is rounded.
//
// CHECK-LABEL: func.func @dynamic
// CHECK-SAME:    %[[Q:[a-z0-9]+]]: tensor<?x?x?x16xbf16>, %[[K:[a-z0-9]+]]: tensor<?x?x?x16xbf16>
// CHECK-DAG:     %[[NQ:.*]] = tensor.dim %[[Q]], %c2
// CHECK-DAG:     %[[NK:.*]] = tensor.dim %[[K]], %c2
// CHECK:         scf.forall
// CHECK:           %[[LEFT:.*]] = arith.subi %[[NQ]],
// CHECK:           %[[ROWS:.*]] = arith.minsi %[[LEFT]], %c16
// CHECK:           tensor.extract_slice %[[Q]][%{{.*}}] [1, 1, %[[ROWS]], 16]
// CHECK:           scf.for
// CHECK:             %[[LEFTK:.*]] = arith.subi %[[NK]],
// CHECK:             %[[KEYS:.*]] = arith.minsi %[[LEFTK]], %c32
// CHECK:             %[[CUT:.*]] = tensor.extract_slice %[[K]][%{{.*}}] [1, 1, %[[KEYS]], 16]
// CHECK:             %[[ZEROS:.*]] = linalg.fill {{.*}} -> tensor<32x16xf32>
// CHECK:             %[[WIDE:.*]] = linalg.generic {{.*}} ins(%[[CUT]] : tensor<?x16xbf16>)
// CHECK:               arith.extf
// CHECK:             tensor.insert_slice %[[WIDE]] into %[[ZEROS]][0, 0] [%[[KEYS]], 16]
// CHECK:               %[[LIVE:.*]] = arith.cmpi slt
// CHECK:               arith.select %[[LIVE]]
// CHECK:           arith.truncf %{{.*}} : f32 to bf16
// CHECK:           tensor.parallel_insert_slice {{.*}} [1, 1, %[[ROWS]], 16]
func.func @dynamic(%q: tensor<?x?x?x16xbf16>, %k: tensor<?x?x?x16xbf16>) -> tensor<?x?x?x16xbf16> {
  %o = sparse_attn.attention mask(#sparse_attn.causal)
      plan(<tile = [16, 32], rows = [<"0" to "nq", segments = [<partial "0" to "(nk + 31) floordiv 32">]>]>)
      ins(%q, %k, %k : tensor<?x?x?x16xbf16>, tensor<?x?x?x16xbf16>, tensor<?x?x?x16xbf16>)
      outs(%q : tensor<?x?x?x16xbf16>) -> tensor<?x?x?x16xbf16>
  return %o : tensor<?x?x?x16xbf16>
}

// A class of heavy rows runs in parts along the keys, each with a state of its
// own, that a last loop merges; its rows overwrite those of the first class.
//
// CHECK-LABEL: func.func @heavy
// CHECK:         %[[PARTS:.*]]:3 = scf.forall (%[[H:.*]], %[[PART:.*]]) in (2, 4) shared_outs
// CHECK-SAME:      -> (tensor<1x2x1x4x16xf32>, tensor<1x2x1x4x16xf32>, tensor<1x2x1x4x16x16xf32>)
// CHECK:           scf.for
// CHECK:           tensor.parallel_insert_slice %{{.*}} into %{{.*}}[0, %[[H]], 0, %[[PART]], 0]
// CHECK:         %[[ORDINARY:.*]] = scf.forall (%{{.*}}, %{{.*}}) in (2, 4)
// CHECK:         scf.forall (%[[H2:.*]]) in (2) shared_outs(%[[O:.*]] = %[[ORDINARY]])
// CHECK:           scf.for %[[PART2:[a-z0-9]+]] = %c0 to %c4
// CHECK:             tensor.extract_slice %[[PARTS]]#0[0, %[[H2]], 0, %[[PART2]], 0]
// CHECK:             arith.maxnumf
// CHECK:           tensor.parallel_insert_slice %{{.*}} into %[[O]][0, %[[H2]], 0, 0] [1, 1, 1, 16]
//
// In one part it is a class like any other.
// WHOLE-LABEL: func.func @heavy
// WHOLE:         %[[ORDINARY:.*]] = scf.forall
// WHOLE:         scf.forall {{.*}} shared_outs(%{{.*}} = %[[ORDINARY]])
// WHOLE-NOT:     scf.forall (
// WHOLE:         return
func.func @heavy(%q: tensor<1x2x64x16xf32>) -> tensor<1x2x64x16xf32> {
  %init = tensor.empty() : tensor<1x2x64x16xf32>
  %o = sparse_attn.attention mask(#sparse_attn.longformer<window = 16, global_tokens = [0]>)
      plan(<tile = [16, 16], rows = [<"0" to "64", segments = [<partial "0" to "4">]>,
                                     <"0" to "1", heavy = true, segments = [<full "0" to "4">]>]>)
      ins(%q, %q, %q : tensor<1x2x64x16xf32>, tensor<1x2x64x16xf32>, tensor<1x2x64x16xf32>)
      outs(%init : tensor<1x2x64x16xf32>) -> tensor<1x2x64x16xf32>
  return %o : tensor<1x2x64x16xf32>
}

// Random blocks: a table of draws for all heads and row blocks, then for each
// query tile a list of the key tiles that its rows drew, each once.
//
// CHECK-LABEL: func.func @random
// CHECK:         %[[TABLE:.*]] = scf.forall {{.*}} -> (tensor<2x4x2xi32>)
// CHECK:         scf.forall (%[[H:.*]], %[[T:.*]]) in (2, 4)
// CHECK:           %[[LIST:.*]]:2 = scf.for {{.*}} -> (tensor<{{[0-9]+}}xindex>, index)
// CHECK:             tensor.extract %[[TABLE]][%[[H]],
// CHECK:           scf.for %[[PLACE:[a-z0-9]+]] = %c0 to %[[LIST]]#1
// CHECK:             tensor.extract %[[LIST]]#0
// The mask of a listed tile looks its row block up.
// CHECK:               tensor.extract %[[TABLE]][%[[H]],
func.func @random(%q: tensor<1x2x64x16xf32>) -> tensor<1x2x64x16xf32> {
  %init = tensor.empty() : tensor<1x2x64x16xf32>
  %o = sparse_attn.attention mask(#sparse_attn.random<block = 16, blocks_per_row = 2>)
      plan(<tile = [16, 16], rows = [<"0" to "64", draws = [<partial <block = 16, blocks_per_row = 2> "0" to "4">]>]>)
      ins(%q, %q, %q : tensor<1x2x64x16xf32>, tensor<1x2x64x16xf32>, tensor<1x2x64x16xf32>)
      outs(%init : tensor<1x2x64x16xf32>) -> tensor<1x2x64x16xf32>
  return %o : tensor<1x2x64x16xf32>
}

// The tiles of a full draw need no mask: they follow the full segment in one
// loop.
//
// CHECK-LABEL: func.func @full_draw
// CHECK:         %[[TABLE:.*]] = scf.forall {{.*}} -> (tensor<2x4x2xi32>)
// CHECK:         scf.forall
// CHECK:           %[[LIST:.*]]:2 = scf.for {{.*}} -> (tensor<{{[0-9]+}}xindex>, index)
// CHECK:             tensor.extract %[[TABLE]]
// CHECK:           %[[COUNT:.*]] = arith.addi %[[LIST]]#1, %c1
// CHECK:           scf.for {{.*}} = %c0 to %[[COUNT]]
// CHECK:             tensor.extract %[[LIST]]#0
// CHECK-NOT:         tensor.extract %[[TABLE]]
// CHECK:           tensor.parallel_insert_slice
func.func @full_draw(%q: tensor<1x2x64x16xf32>) -> tensor<1x2x64x16xf32> {
  %init = tensor.empty() : tensor<1x2x64x16xf32>
  %o = sparse_attn.attention mask(#sparse_attn.union<#sparse_attn.prefix<length = 16>, #sparse_attn.random<block = 16, blocks_per_row = 2>>)
      plan(<tile = [16, 16], rows = [<"0" to "64", segments = [<full "0" to "1">], draws = [<full <block = 16, blocks_per_row = 2> "0" to "4">]>]>)
      ins(%q, %q, %q : tensor<1x2x64x16xf32>, tensor<1x2x64x16xf32>, tensor<1x2x64x16xf32>)
      outs(%init : tensor<1x2x64x16xf32>) -> tensor<1x2x64x16xf32>
  return %o : tensor<1x2x64x16xf32>
}

// A tile of a larger attention: nq is Sk less its position, rows that the tile
// does not have are left out, and the mask sees positions of the whole.
//
// CHECK-LABEL: func.func @origin
// CHECK-SAME:    %{{[a-z0-9]+}}: index, %[[POSITION:[a-z0-9]+]]: index
// CHECK:         %[[NQ:.*]] = arith.subi %c64, %[[POSITION]]
// CHECK:         arith.minsi %[[NQ]], %c64
// CHECK:         scf.forall
// CHECK:           arith.addi %{{.*}}, %[[POSITION]]
// CHECK:             arith.cmpi slt
func.func @origin(%head: index, %position: index, %q: tensor<1x2x64x16xf32>) -> tensor<1x2x64x16xf32> {
  %init = tensor.empty() : tensor<1x2x64x16xf32>
  %o = sparse_attn.attention mask(#sparse_attn.causal)
      plan(<tile = [16, 16], rows = [<"0" to "nq", segments = [<partial "0" to "4">]>]>)
      ins(%q, %q, %q : tensor<1x2x64x16xf32>, tensor<1x2x64x16xf32>, tensor<1x2x64x16xf32>)
      origin(%head, %position)
      outs(%init : tensor<1x2x64x16xf32>) -> tensor<1x2x64x16xf32>
  return %o : tensor<1x2x64x16xf32>
}

// Rows with nothing to visit are zeros; no loop is left of them.
//
// CHECK-LABEL: func.func @empty
// CHECK:         scf.forall
// CHECK-NOT:       scf.for %
// CHECK:           tensor.parallel_insert_slice
func.func @empty(%q: tensor<1x2x64x16xf32>) -> tensor<1x2x64x16xf32> {
  %init = tensor.empty() : tensor<1x2x64x16xf32>
  %o = sparse_attn.attention mask(#sparse_attn.complement<#sparse_attn.full>)
      plan(<tile = [16, 16], rows = [<"0" to "64">]>)
      ins(%q, %q, %q : tensor<1x2x64x16xf32>, tensor<1x2x64x16xf32>, tensor<1x2x64x16xf32>)
      outs(%init : tensor<1x2x64x16xf32>) -> tensor<1x2x64x16xf32>
  return %o : tensor<1x2x64x16xf32>
}

// Plans speak of sequences that have keys: where there is none, the bounds count for
// nothing, and rows stay within those of Q.
//
// CHECK-LABEL: func.func @maybe_no_keys
// CHECK:         %[[NK:.*]] = tensor.dim
// CHECK:         %[[BEGIN:.*]] = arith.maxsi %{{.*}}, %c0
// CHECK:         %[[END:.*]] = arith.minsi %{{.*}}, %c16
// CHECK:         arith.subi %[[END]], %[[BEGIN]]
// CHECK:         scf.forall
// CHECK:           %[[HAS_KEYS:.*]] = arith.cmpi sgt, %[[NK]], %c0
// CHECK:           %[[VISITED:.*]] = arith.select %[[HAS_KEYS]], %{{.*}}, %c0
// CHECK:           scf.for %{{.*}} = %c0 to %[[VISITED]]
func.func @maybe_no_keys(%q: tensor<1x2x16x16xf32>, %k: tensor<1x2x?x16xf32>) -> tensor<1x2x16x16xf32> {
  %init = tensor.empty() : tensor<1x2x16x16xf32>
  %o = sparse_attn.attention mask(#sparse_attn.full)
      plan(<tile = [16, 16], rows = [<"16 - nk" to "32 - nk", segments = [<partial "0" to "(nk + 15) floordiv 16">]>]>)
      ins(%q, %k, %k : tensor<1x2x16x16xf32>, tensor<1x2x?x16xf32>, tensor<1x2x?x16xf32>)
      outs(%init : tensor<1x2x16x16xf32>) -> tensor<1x2x16x16xf32>
  return %o : tensor<1x2x16x16xf32>
}

// CHECK-LABEL: func.func @no_keys
// CHECK:         scf.forall
// CHECK-NOT:       scf.for %
// CHECK:           tensor.parallel_insert_slice
func.func @no_keys(%q: tensor<1x2x16x16xf32>, %k: tensor<1x2x0x16xf32>) -> tensor<1x2x16x16xf32> {
  %init = tensor.empty() : tensor<1x2x16x16xf32>
  %o = sparse_attn.attention mask(#sparse_attn.full)
      plan(<tile = [16, 16], rows = [<"0" to "16", segments = [<partial "0" to "1">]>]>)
      ins(%q, %k, %k : tensor<1x2x16x16xf32>, tensor<1x2x0x16xf32>, tensor<1x2x0x16xf32>)
      outs(%init : tensor<1x2x16x16xf32>) -> tensor<1x2x16x16xf32>
  return %o : tensor<1x2x16x16xf32>
}

// What is stored of a part is its mean, with the rows outermost; the merge adds up
// means by their shares in the sum of all.
//
// CHECK-LABEL: func.func @stored
// CHECK:         scf.forall
// CHECK:           %[[QT:.*]] = linalg.generic {{.*}} outs(%{{.*}} : tensor<16x32xf32>)
// CHECK:             arith.extf
// CHECK-NEXT:        arith.mulf %{{.*}}, %{{.*}} : f32
// CHECK:           scf.for {{.*}} -> (tensor<32xf32>, tensor<32xf32>, tensor<8x32xf32>)
// CHECK:             linalg.generic {{.*}} ins(%{{.*}}, %[[QT]] : tensor<16x16xf32>, tensor<16x32xf32>)
// CHECK:             math.exp
// CHECK:           %[[MEANS:.*]] = linalg.generic {{.*}} outs(%{{.*}}#2 : tensor<8x32xf32>)
// CHECK:             arith.divf
// CHECK:           linalg.generic {{.*}} ins(%[[MEANS]] : tensor<8x32xf32>) outs(%{{.*}} : tensor<32x8xf32>)
// CHECK-NOT:     sparse_attn.
// CHECK:         scf.forall
// CHECK:           scf.for {{.*}} -> (tensor<32xf32>, tensor<32xf32>, tensor<8x32xf32>, tensor<32xf32>)
// CHECK:             linalg.generic {{.*}} ins(%{{.*}} : tensor<32x8xf32>) outs(%{{.*}} : tensor<8x32xf32>)
// CHECK:             arith.maxnumf
// CHECK:             linalg.generic {{.*}} ["parallel"]
// CHECK:             arith.bitcast
// CHECK:             math.fma
// CHECK:           linalg.generic {{.*}} outs(%{{.*}} : tensor<32x8xbf16>)
// CHECK:             arith.divf
// CHECK:             arith.truncf
// CHECK-NOT:     sparse_attn.
// CHECK:         return
func.func @stored(%q: tensor<1x1x32x16xbf16>, %v: tensor<1x1x32x8xbf16>) -> tensor<1x1x32x8xbf16> {
  %init = tensor.empty() : tensor<1x1x32x8xbf16>
  %o = sparse_attn.attention mask(#sparse_attn.full)
      plan(<tile = [32, 16], rows = [<"0" to "32", heavy = true, segments = [<full "0" to "2">]>]>)
      ins(%q, %q, %v : tensor<1x1x32x16xbf16>, tensor<1x1x32x16xbf16>, tensor<1x1x32x8xbf16>)
      outs(%init : tensor<1x1x32x8xbf16>) -> tensor<1x1x32x8xbf16>
  return %o : tensor<1x1x32x8xbf16>
}
