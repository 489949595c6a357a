// Data operands in the loops over tiles: lengths of sequences are those that the
// bounds of a tile are computed of, sinks come to the state at its end, and all that
// happens to scores is one region of a step.
//
// RUN: sparse-attn-opt %s --sparse-attn-plan="tile-queries=16 tile-keys=16" --sparse-attn-visit-tiles --canonicalize --cse \
// RUN:   | FileCheck %s

!t = tensor<2x4x64x16xf32>
!lse = tensor<2x4x64xf32>

// Lengths from 0 to those of the tensors.
//
// CHECK-LABEL: func.func @key_lengths
// CHECK-SAME:    %[[N:[a-z0-9]+]]: tensor<2xi32>
// CHECK-DAG:     %[[C0:.*]] = arith.constant 0 : index
// CHECK-DAG:     %[[C64:.*]] = arith.constant 64 : index
// CHECK:         scf.forall (%[[B:[a-z0-9]+]], %[[H:[a-z0-9]+]], %[[T:[a-z0-9]+]]) in (2, 4, 4)
// CHECK:           %[[LENGTH:.*]] = tensor.extract %[[N]][%[[B]]] : tensor<2xi32>
// CHECK-NEXT:      %[[INDEX:.*]] = arith.index_cast %[[LENGTH]] : i32 to index
// CHECK-NEXT:      %[[LEAST:.*]] = arith.maxsi %[[INDEX]], %[[C0]] : index
// CHECK-NEXT:      %[[NK:.*]] = arith.minsi %[[LEAST]], %[[C64]] : index
// CHECK:           arith.subi %[[NK]], %[[C64]] : index
// CHECK:           %[[HAS_KEYS:.*]] = arith.cmpi sgt, %[[NK]], %[[C0]] : index
// CHECK:           %[[COUNT:.*]] = arith.select %[[HAS_KEYS]], %{{.*}}, %[[C0]] : index
// CHECK:           scf.for %{{.*}} = %[[C0]] to %[[COUNT]]
// CHECK:           sparse_attn.finish %{{.*}} scale(2.500000e-01) outs(
func.func @key_lengths(%q: !t, %k: !t, %v: !t, %n: tensor<2xi32>, %init: !t) -> !t {
  %o = sparse_attn.attention mask(#sparse_attn.causal) ins(%q, %k, %v : !t, !t, !t)
      data(key_lengths = %n : tensor<2xi32>) outs(%init : !t) -> !t
  return %o : !t
}

// Slots at positions: no tile before the first that has a key is visited, and that
// one is a partial one which begins at it; where all keys stand before position 0,
// they are a run of their own. Tensors are read by slots, steps are at positions.
//
// CHECK-LABEL: func.func @positions
// CHECK-SAME:    %[[K:[a-z0-9]+]]: tensor<2x4x64x16xf32>, %{{[a-z0-9]+}}: tensor<2x4x64x16xf32>, %[[AT:[a-z0-9]+]]: tensor<2xi64>, %[[BEGIN:[a-z0-9]+]]: tensor<2xi32>
// CHECK-DAG:     %[[C0:.*]] = arith.constant 0 : index
// CHECK-DAG:     %[[C16:.*]] = arith.constant 16 : index
// CHECK-DAG:     %[[C64:.*]] = arith.constant 64 : index
// CHECK-DAG:     %[[MOST:.*]] = arith.constant 1073741759 : index
// CHECK:         scf.forall (%[[B:[a-z0-9]+]], %{{.*}}, %{{.*}}) in (2, 4, 4)
// CHECK:           tensor.extract %[[AT]][%[[B]]] : tensor<2xi64>
// CHECK:           %[[SLOT0:.*]] = arith.minsi %{{.*}}, %[[MOST]] : index
// CHECK-NEXT:      %[[N:.*]] = arith.addi %[[SLOT0]], %[[C64]] : index
// CHECK-NEXT:      arith.cmpi sle, %[[N]], %[[C0]] : index
// CHECK:           tensor.extract %[[BEGIN]][%[[B]]] : tensor<2xi32>
// CHECK:           %[[FIRST:.*]] = arith.addi %[[SLOT0]], %{{.*}} : index
// CHECK:           arith.floordivsi %[[FIRST]], %[[C16]] : index
// CHECK:           arith.cmpi sgt, %[[N]], %[[FIRST]] : index
// CHECK:           scf.for
// CHECK:             %[[TILE:.*]] = arith.muli %{{.*}}, %[[C16]] : index
// CHECK:             %[[END:.*]] = arith.minsi %{{.*}}, %[[N]] : index
// CHECK-NEXT:        %[[KEY:.*]] = arith.maxsi %[[TILE]], %[[FIRST]] : index
// CHECK:             %[[ROWS:.*]] = arith.maxsi %{{.*}}, %[[C0]] : index
// CHECK-NEXT:        %[[ROW:.*]] = arith.subi %[[KEY]], %[[SLOT0]] : index
// CHECK-NEXT:        %[[BEHIND:.*]] = arith.addi %[[KEY]], %[[ROWS]] : index
// CHECK-NEXT:        %[[BEHIND32:.*]] = arith.index_cast %[[BEHIND]] : index to i32
// CHECK:             tensor.extract_slice %[[K]][%[[B]], %{{.*}}, %[[ROW]], 0] [1, 1, %[[ROWS]], 16]
// CHECK:             sparse_attn.step {{.*}} at(%{{.*}}, %[[KEY]]) keys(16) {{.*}} mask {
// CHECK:             ^bb0(%{{.*}}: i32, %[[J:.*]]: i32):
// CHECK:               arith.cmpi slt, %[[J]], %[[BEHIND32]] : i32
// CHECK:           scf.for
// CHECK:             %[[WHOLE:.*]] = arith.muli %{{.*}}, %[[C16]] : index
// CHECK-NEXT:        %[[FULL:.*]] = arith.subi %[[WHOLE]], %[[SLOT0]] : index
// CHECK:             tensor.extract_slice %[[K]][%[[B]], %{{.*}}, %[[FULL]], 0] [1, 1, 16, 16]
// CHECK:             sparse_attn.step {{.*}} at(%{{.*}}, %[[WHOLE]]) keys(16) scale(2.500000e-01) :
func.func @positions(%q: !t, %k: !t, %v: !t, %at: tensor<2xi64>, %begin: tensor<2xi32>, %init: !t) -> !t {
  %o = sparse_attn.attention mask(#sparse_attn.causal) ins(%q, %k, %v : !t, !t, !t)
      data(key_position = %at : tensor<2xi64>, key_begin = %begin : tensor<2xi32>)
      outs(%init : !t) -> !t
  return %o : !t
}

// A tile has keys of one page, which the table tells; numbers of no page are those
// of the nearest.
//
// CHECK-LABEL: func.func @pages
// CHECK-SAME:    %[[K:[a-z0-9]+]]: tensor<9x2x32x16xf32>, %{{[a-z0-9]+}}: tensor<9x2x32x16xf32>, %[[TABLE:[a-z0-9]+]]: tensor<2x2xi32>
// CHECK-DAG:     %[[C0:.*]] = arith.constant 0 : index
// CHECK-DAG:     %[[C1:.*]] = arith.constant 1 : index
// CHECK-DAG:     %[[C8:.*]] = arith.constant 8 : index
// CHECK-DAG:     %[[C32:.*]] = arith.constant 32 : index
// CHECK:         scf.forall (%[[B:[a-z0-9]+]], %{{.*}}, %{{.*}}) in (2, 4, 4)
// CHECK:           scf.for
// CHECK:             %[[KEY:.*]] = arith.muli %{{.*}}, %{{.*}} : index
// CHECK:             %[[PAGE:.*]] = arith.floordivsi %[[KEY]], %[[C32]] : index
// CHECK-NEXT:        %[[LEAST:.*]] = arith.minsi %[[PAGE]], %[[C1]] : index
// CHECK-NEXT:        %[[PLACE:.*]] = arith.maxsi %[[LEAST]], %[[C0]] : index
// CHECK-NEXT:        %[[ENTRY:.*]] = tensor.extract %[[TABLE]][%[[B]], %[[PLACE]]] : tensor<2x2xi32>
// CHECK-NEXT:        %[[ID:.*]] = arith.index_cast %[[ENTRY]] : i32 to index
// CHECK-NEXT:        %[[BELOW:.*]] = arith.minsi %[[ID]], %[[C8]] : index
// CHECK-NEXT:        %[[NUMBER:.*]] = arith.maxsi %[[BELOW]], %[[C0]] : index
// CHECK-NEXT:        %[[BEFORE:.*]] = arith.muli %[[PLACE]], %[[C32]] : index
// CHECK-NEXT:        %[[ROW:.*]] = arith.subi %[[KEY]], %[[BEFORE]] : index
// CHECK:             tensor.extract_slice %[[K]][%[[NUMBER]], %{{.*}}, %[[ROW]], 0] [1, 1, 16, 16]
// CHECK:             sparse_attn.step {{.*}} at(%{{.*}}, %[[KEY]]) keys(16)
func.func @pages(%q: !t, %k: tensor<9x2x32x16xf32>, %v: tensor<9x2x32x16xf32>, %table: tensor<2x2xi32>, %init: !t) -> !t {
  %o = sparse_attn.attention mask(#sparse_attn.causal) ins(%q, %k, %v : !t, tensor<9x2x32x16xf32>, tensor<9x2x32x16xf32>)
      data(page_table = %table : tensor<2x2xi32>) outs(%init : !t) -> !t
  return %o : !t
}

// Rows behind the end of a sequence first: results without a key, and without a
// sink. A tile that a sequence has no rows of runs no step.
//
// CHECK-LABEL: func.func @query_lengths
// CHECK-SAME:    %[[N:[a-z0-9]+]]: tensor<2xi32>, %[[SINKS:[a-z0-9]+]]: tensor<4xf32>
// CHECK:         %[[C0:.*]] = arith.constant 0 : index
// CHECK:         scf.forall (%[[B:[a-z0-9]+]], %{{.*}}, %{{.*}}) in (2, 4, 4)
// CHECK:           tensor.extract %[[N]][%[[B]]]
// CHECK:           %[[NONE:.*]] = sparse_attn.initial_state
// CHECK-NOT:       scf.for
// CHECK:           sparse_attn.finish %[[NONE]] scale(2.500000e-01) outs(
// CHECK:         scf.forall (%{{.*}}, %[[H:[a-z0-9]+]], %{{.*}}) in (2, 4, 4)
// CHECK:           %[[HAS_ROWS:.*]] = arith.cmpi sgt, %{{.*}}, %[[C0]] : index
// CHECK:           %[[COUNT:.*]] = arith.select %[[HAS_ROWS]], %{{.*}}, %[[C0]] : index
// CHECK:           scf.for %{{.*}} = %[[C0]] to %[[COUNT]]
// CHECK:           %[[SINK:.*]] = tensor.extract %[[SINKS]][%[[H]]] : tensor<4xf32>
// CHECK:           sparse_attn.finish %{{.*}} scale(2.500000e-01) sink(%[[SINK]] : f32) outs(
func.func @query_lengths(%q: !t, %k: !t, %v: !t, %n: tensor<2xi32>, %sinks: tensor<4xf32>, %init: !t, %init_lse: !lse) -> (!t, !lse) {
  %o:2 = sparse_attn.attention mask(#sparse_attn.full) ins(%q, %k, %v : !t, !t, !t)
      data(query_lengths = %n : tensor<2xi32>, sinks = %sinks : tensor<4xf32>)
      outs(%init, %init_lse : !t, !lse) -> !t, !lse
  return %o#0, %o#1 : !t, !lse
}

// Region, bias and slopes, in this order, behind the soft cap. Reads are of rows
// and keys that there are.
//
// CHECK-LABEL: func.func @scores
// CHECK-SAME:    %[[BIAS:[a-z0-9]+]]: tensor<4x1x64xf32>, %[[SLOPES:[a-z0-9]+]]: tensor<4xf32>
// CHECK-DAG:     %[[C63:.*]] = arith.constant 63 : index
// CHECK-DAG:     %[[C0:.*]] = arith.constant 0 : index
// CHECK:         sparse_attn.step {{.*}} score(%{{.*}}, %{{.*}}) {
// CHECK:         ^bb0(%[[S:.*]]: f32, %{{.*}}: index, %[[HEAD:.*]]: index, %{{.*}}: i32, %[[J:.*]]: i32):
// CHECK:           %[[TANH:.*]] = math.tanh %[[S]]
// CHECK:           %[[CAPPED:.*]] = arith.mulf %[[TANH]],
// CHECK:           %[[ANEW:.*]] = arith.mulf %[[CAPPED]], %[[CAPPED]] : f32
// CHECK:           %[[FROM:.*]] = arith.maxsi %{{.*}}, %[[C0]] : index
// CHECK:           %[[KEY:.*]] = arith.minsi %[[FROM]], %[[C63]] : index
// CHECK:           %[[MORE:.*]] = tensor.extract %[[BIAS]][%[[HEAD]], %[[C0]], %[[KEY]]] : tensor<4x1x64xf32>
// CHECK:           %[[SUM:.*]] = arith.addf %[[ANEW]], %[[MORE]] : f32
// CHECK:           %[[SLOPE:.*]] = tensor.extract %[[SLOPES]][%[[HEAD]]] : tensor<4xf32>
// CHECK:           %[[LINEAR:.*]] = arith.mulf %[[SLOPE]], %{{.*}} : f32
// CHECK:           %[[RESULT:.*]] = arith.subf %[[SUM]], %[[LINEAR]] : f32
// CHECK:           sparse_attn.yield %[[RESULT]] : f32
// CHECK:         sparse_attn.finish %{{.*}} scale(1.000000e+00)
func.func @scores(%q: !t, %k: !t, %v: !t, %bias: tensor<4x1x64xf32>, %slopes: tensor<4xf32>, %init: !t) -> !t {
  %o = sparse_attn.attention mask(#sparse_attn.full) softcap(5.0) ins(%q, %k, %v : !t, !t, !t)
      data(bias = %bias : tensor<4x1x64xf32>, slopes = %slopes : tensor<4xf32>)
      outs(%init : !t) score {
      ^bb0(%s: f32, %b: index, %h: index, %i: index, %j: index):
        %t = arith.mulf %s, %s : f32
        sparse_attn.yield %t : f32
      } -> !t
  return %o : !t
}

// In a fold, positions are made of the numbers; a distance is one of numbers, in
// the 32 bits that lanes and threads compute with.
//
// CHECK-LABEL: func.func @fold
// CHECK-DAG:     %[[C8:.*]] = arith.constant 8 : index
// CHECK-DAG:     %[[STEP:.*]] = arith.constant 8 : i32
// CHECK:         sparse_attn.step {{.*}} score(
// CHECK:         ^bb0(%{{.*}}: f32, %{{.*}}: index, %{{.*}}: index, %[[I:.*]]: i32, %[[J:.*]]: i32):
// CHECK:           %[[ROW:.*]] = arith.index_cast %[[I]] : i32 to index
// CHECK:           %[[FIRST_ROW:.*]] = arith.muli %[[ROW]], %[[C8]] : index
// CHECK:           %[[ROW_POSITION:.*]] = arith.addi %[[FIRST_ROW]], %[[RESIDUE:.*]] : index
// CHECK:           %[[KEY:.*]] = arith.index_cast %[[J]] : i32 to index
// CHECK:           %[[FIRST_KEY:.*]] = arith.muli %[[KEY]], %[[C8]] : index
// CHECK:           %[[KEY_POSITION:.*]] = arith.addi %[[FIRST_KEY]], %[[RESIDUE]] : index
// CHECK:           arith.xori %[[ROW_POSITION]], %[[KEY_POSITION]] : index
// CHECK:           %[[NUMBERS:.*]] = arith.subi %[[I]], %[[J]] : i32
// CHECK:           arith.muli %[[NUMBERS]], %[[STEP]] : i32
func.func @fold(%q: !t, %k: !t, %v: !t, %slopes: tensor<4xf32>, %init: !t) -> !t {
  %o = sparse_attn.attention mask(#sparse_attn.sliding_window<left = 3, right = 3, dilation = 8>)
      plan(<offset_multiple = 0, parts = [
        <step = 8, pairs = "j >= i - 3 and j < i + 4", tile = [16, 16], rows = [<"0" to "nq", segments = [<partial "0" to "1">]>]>]>)
      ins(%q, %k, %v : !t, !t, !t) data(slopes = %slopes : tensor<4xf32>) outs(%init : !t) score {
      ^bb0(%s: f32, %b: index, %h: index, %i: index, %j: index):
        %x = arith.xori %i, %j : index
        %x32 = arith.index_cast %x : index to i32
        %f = arith.sitofp %x32 : i32 to f32
        %t = arith.addf %s, %f : f32
        sparse_attn.yield %t : f32
      } -> !t
  return %o : !t
}

// Ids of documents are read once: of each key tile the least, the greatest and the
// one that all its keys have, and of each query tile the key tiles whose ids meet its
// own. Masks read them where they were laid out, tile by tile.
//
// CHECK-LABEL: func.func @documents
// CHECK-SAME:    %[[IDS:[a-z0-9]+]]: tensor<2x64xi32>
// CHECK:         %[[KEYS:.*]]:2 = scf.forall (%[[B:[a-z0-9]+]], %[[KT:[a-z0-9]+]]) in (2, 4)
// CHECK-SAME:        -> (tensor<2x4x3xi32>, tensor<2x64xi32>)
// CHECK:           scf.for
// CHECK:             tensor.extract %[[IDS]]
// CHECK:           } {mapping = [#sparse_attn.grid<0>, #sparse_attn.grid<1>]}
// CHECK:         %[[ROWS:.*]]:2 = scf.forall (%[[B:[a-z0-9]+]], %[[Q:[a-z0-9]+]]) in (2, 4)
// CHECK-SAME:        -> (tensor<2x4x4xi32>, tensor<2x64xi32>)
// CHECK:             tensor.extract %[[IDS]]
// CHECK:             tensor.extract %[[KEYS]]#0
// CHECK:         scf.forall (%[[B:[a-z0-9]+]], %{{.*}}, %[[T:[a-z0-9]+]]) in (2, 4, 4)
// CHECK:           tensor.extract %[[ROWS]]#0[%[[B]], %[[T]], %{{.*}}] : tensor<2x4x4xi32>
// CHECK:           scf.for
// CHECK:             sparse_attn.step
// CHECK:               mask {
// CHECK:                 %[[OF_ROW:.*]] = tensor.extract %[[ROWS]]#1[%[[B]],
// CHECK:                 %[[OF_KEY:.*]] = tensor.extract %[[KEYS]]#1[%[[B]],
// CHECK:                 arith.cmpi eq, %[[OF_ROW]], %[[OF_KEY]] : i32
// CHECK:           scf.for
// CHECK:             sparse_attn.step
// CHECK-NOT:           mask
// CHECK:           sparse_attn.finish
func.func @documents(%q: !t, %k: !t, %v: !t, %ids: tensor<2x64xi32>, %init: !t) -> !t {
  %o = sparse_attn.attention mask(#sparse_attn.intersection<#sparse_attn.causal, #sparse_attn.document>)
      ins(%q, %k, %v : !t, !t, !t) data(documents = %ids : tensor<2x64xi32>) outs(%init : !t) -> !t
  return %o : !t
}

// Tokens are marked tile by tile, each mark written once, and tiles with a mark are
// numbered. A query tile without a marked row visits those left of its window from
// there, and one with a marked row visits all.
//
// CHECK-LABEL: func.func @listed
// CHECK-SAME:    %[[TOKENS:[a-z0-9]+]]: tensor<2x?xi32>
// CHECK:         %[[MARKS:.*]]:2 = scf.forall (%[[B:[a-z0-9]+]], %[[KT:[a-z0-9]+]]) in (2, 4)
// CHECK-SAME:        -> (tensor<2x4x1xi32>, tensor<2x64xi32>)
// CHECK:             tensor.extract %[[TOKENS]]
// CHECK:             arith.ori
// CHECK:             tensor.insert
// CHECK:         %[[PLACES:.*]] = scf.forall (%[[B:[a-z0-9]+]], %{{.*}}) in (2, 5)
// CHECK-SAME:        -> (tensor<2x5x2xi32>)
// CHECK:             tensor.extract %[[MARKS]]#0
// CHECK:         scf.forall (%[[B:[a-z0-9]+]], %{{.*}}, %[[T:[a-z0-9]+]]) in (2, 4, 4)
// CHECK:           %[[MARK:.*]] = tensor.extract %[[MARKS]]#0[%[[B]], %[[T]], %{{.*}}]
// CHECK:           %[[HAS_ROW:.*]] = arith.cmpi ne, %[[MARK]],
// CHECK:           arith.select %[[HAS_ROW]],
// CHECK:           tensor.extract %[[PLACES]][%[[B]],
// CHECK:           scf.for
// CHECK:             scf.if
// CHECK:               tensor.extract %[[PLACES]][%[[B]],
// CHECK:             sparse_attn.step
// CHECK:               mask {
// CHECK-DAG:             tensor.extract %[[MARKS]]#1[%[[B]],
// CHECK-DAG:             tensor.extract %[[MARKS]]#1[%[[B]],
func.func @listed(%q: !t, %k: !t, %v: !t, %tokens: tensor<2x?xi32>, %init: !t) -> !t {
  %o = sparse_attn.attention mask(#sparse_attn.union<#sparse_attn.sliding_window<left = 3, right = 0>, #sparse_attn.global<listed>>)
      ins(%q, %k, %v : !t, !t, !t) data(global_tokens = %tokens : tensor<2x?xi32>) outs(%init : !t) -> !t
  return %o : !t
}
