// Attention implements TilingInterface over (batch, query head, query row), so
// that upstream transforms tile it and fuse it with its neighbours. Keys are no
// loop of the op: a tile sees the whole row of keys of its head.
//
// RUN: sparse-attn-opt %s --transform-interpreter --split-input-file \
// RUN:   --canonicalize --cse | FileCheck %s

// A tile is a smaller attention. Its mask is that of the whole, so `origin`
// tells it where it stands: the index of its first head, the position of its
// first row. The default scale is spelled out, as is every init's slice.
//
// CHECK:       #[[ROW:.*]] = affine_map<(d0) -> (d0 * 512)>
// CHECK-LABEL: func.func @rows_and_heads
// CHECK-SAME:    %[[Q:[a-z0-9]+]]: tensor<1x12x4096x64xf32>, %[[K:[a-z0-9]+]]: tensor<1x12x4096x64xf32>
// CHECK:         scf.forall (%[[H:.*]], %[[T:.*]]) in (12, 8) shared_outs(%[[O:.*]] = %{{.*}}, %[[L:.*]] = %{{.*}})
// CHECK:           %[[I:.*]] = affine.apply #[[ROW]](%[[T]])
// CHECK-DAG:       %[[OT:.*]] = tensor.extract_slice %[[O]][0, %[[H]], %[[I]], 0] [1, 1, 512, 64]
// CHECK-DAG:       %[[LT:.*]] = tensor.extract_slice %[[L]][0, %[[H]], %[[I]]] [1, 1, 512]
// CHECK-DAG:       %[[QT:.*]] = tensor.extract_slice %[[Q]][0, %[[H]], %[[I]], 0] [1, 1, 512, 64]
// CHECK-DAG:       %[[KT:.*]] = tensor.extract_slice %[[K]][0, %[[H]], 0, 0] [1, 1, 4096, 64]
// CHECK:           %[[R:.*]]:2 = sparse_attn.attention mask(#sparse_attn.causal) scale(1.250000e-01)
// CHECK-SAME:        ins(%[[QT]], %[[KT]], %[[KT]] :
// CHECK-SAME:        origin(%[[H]], %[[I]]) outs(%[[OT]], %[[LT]] :
// CHECK:           tensor.parallel_insert_slice %[[R]]#0 into %[[O]][0, %[[H]], %[[I]], 0]
// CHECK:           tensor.parallel_insert_slice %[[R]]#1 into %[[L]][0, %[[H]], %[[I]]]
func.func @rows_and_heads(%q: tensor<1x12x4096x64xf32>, %k: tensor<1x12x4096x64xf32>,
                          %init: tensor<1x12x4096x64xf32>, %lse: tensor<1x12x4096xf32>)
    -> (tensor<1x12x4096x64xf32>, tensor<1x12x4096xf32>) {
  %o:2 = sparse_attn.attention mask(#sparse_attn.causal)
      ins(%q, %k, %k : tensor<1x12x4096x64xf32>, tensor<1x12x4096x64xf32>, tensor<1x12x4096x64xf32>)
      outs(%init, %lse : tensor<1x12x4096x64xf32>, tensor<1x12x4096xf32>)
      -> tensor<1x12x4096x64xf32>, tensor<1x12x4096xf32>
  return %o#0, %o#1 : tensor<1x12x4096x64xf32>, tensor<1x12x4096xf32>
}
module attributes {transform.with_named_sequence} {
  transform.named_sequence @__transform_main(%module: !transform.any_op) {
    %op = transform.structured.match ops{["sparse_attn.attention"]} in %module
        : (!transform.any_op) -> !transform.any_op
    transform.structured.tile_using_forall %op tile_sizes [1, 1, 512]
        : (!transform.any_op) -> (!transform.any_op, !transform.any_op)
    transform.yield
  }
}

// -----

// A tile has the soft cap of the whole.
//
// CHECK-LABEL: func.func @softcap
// CHECK:         scf.for
// CHECK:           sparse_attn.attention mask(#sparse_attn.causal) scale(0.35355339059327373) softcap(3.000000e+01) ins(
func.func @softcap(%q: tensor<1x1x64x8xf32>, %init: tensor<1x1x64x8xf32>) -> tensor<1x1x64x8xf32> {
  %o = sparse_attn.attention mask(#sparse_attn.causal) softcap(30.0)
      ins(%q, %q, %q : tensor<1x1x64x8xf32>, tensor<1x1x64x8xf32>, tensor<1x1x64x8xf32>)
      outs(%init : tensor<1x1x64x8xf32>) -> tensor<1x1x64x8xf32>
  return %o : tensor<1x1x64x8xf32>
}
module attributes {transform.with_named_sequence} {
  transform.named_sequence @__transform_main(%module: !transform.any_op) {
    %op = transform.structured.match ops{["sparse_attn.attention"]} in %module
        : (!transform.any_op) -> !transform.any_op
    transform.structured.tile_using_for %op tile_sizes [0, 0, 16]
        : (!transform.any_op) -> (!transform.any_op, !transform.any_op)
    transform.yield
  }
}

// -----

// A tile has all data, and says where it is by batch, head and row, and how many
// queries the whole has. A tile of it says that, too.
//
// CHECK-LABEL: func.func @data
// CHECK-SAME:    %[[N:[a-z0-9]+]]: tensor<2xi32>
// CHECK-DAG:     %[[C0:.*]] = arith.constant 0 : index
// CHECK-DAG:     %[[C64:.*]] = arith.constant 64 : index
// CHECK:         scf.for %[[B:[a-z0-9]+]] =
// CHECK:           scf.for %[[R:[a-z0-9]+]] =
// CHECK:             sparse_attn.attention {{.*}} data(key_lengths = %[[N]] : tensor<2xi32>) origin(%[[B]], %[[C0]], %[[R]], %[[C64]]) outs(
// CHECK-SAME:          score {
// CHECK-LABEL: func.func @data_of_a_tile
// CHECK-SAME:    %[[AT:[a-z0-9]+]]: index
// CHECK:         scf.for %[[B2:[a-z0-9]+]] =
// CHECK:           scf.for %[[R2:[a-z0-9]+]] =
// CHECK-DAG:         %[[BATCH:.*]] = affine.apply #{{.*}}(%[[B2]])[%[[AT]]]
// CHECK-DAG:         %[[ROW:.*]] = affine.apply #{{.*}}(%[[R2]])[%[[AT]]]
// CHECK:             sparse_attn.attention {{.*}} origin(%[[BATCH]], %[[AT]], %[[ROW]], %[[AT]]) outs(
func.func @data(%q: tensor<2x1x64x8xf32>, %n: tensor<2xi32>, %init: tensor<2x1x64x8xf32>) -> tensor<2x1x64x8xf32> {
  %o = sparse_attn.attention mask(#sparse_attn.causal)
      ins(%q, %q, %q : tensor<2x1x64x8xf32>, tensor<2x1x64x8xf32>, tensor<2x1x64x8xf32>)
      data(key_lengths = %n : tensor<2xi32>)
      outs(%init : tensor<2x1x64x8xf32>) score {
      ^bb0(%x: f32, %batch: index, %h: index, %i: index, %j: index):
        sparse_attn.yield %x : f32
      } -> tensor<2x1x64x8xf32>
  return %o : tensor<2x1x64x8xf32>
}
func.func @data_of_a_tile(%q: tensor<2x1x64x8xf32>, %n: tensor<9xi32>, %init: tensor<2x1x64x8xf32>, %at: index) -> tensor<2x1x64x8xf32> {
  %o = sparse_attn.attention mask(#sparse_attn.causal)
      ins(%q, %q, %q : tensor<2x1x64x8xf32>, tensor<2x1x64x8xf32>, tensor<2x1x64x8xf32>)
      data(key_lengths = %n : tensor<9xi32>) origin(%at, %at, %at, %at)
      outs(%init : tensor<2x1x64x8xf32>) -> tensor<2x1x64x8xf32>
  return %o : tensor<2x1x64x8xf32>
}
module attributes {transform.with_named_sequence} {
  transform.named_sequence @__transform_main(%module: !transform.any_op) {
    %op = transform.structured.match ops{["sparse_attn.attention"]} in %module
        : (!transform.any_op) -> !transform.any_op
    transform.structured.tile_using_for %op tile_sizes [1, 0, 16]
        : (!transform.any_op) -> (!transform.any_op, !transform.any_op, !transform.any_op)
    transform.yield
  }
}

// -----

// Queries stand at the end of the keys, so the position of row r is
// r + Sk - Sq: 3996 for the first of 100 queries after 3996 cached keys. The
// last tile is ragged.
//
// CHECK-DAG:   #[[SIZE:.*]] = affine_map<(d0) -> (-d0 + 100, 64)>
// CHECK-DAG:   #[[POSITION:.*]] = affine_map<(d0) -> (d0 + 3996)>
// CHECK-LABEL: func.func @ragged_rows_after_a_cache
// CHECK:         scf.for %[[I:.*]] = %c0 to %c100 step %c64
// CHECK:           %[[ROWS:.*]] = affine.min #[[SIZE]](%[[I]])
// CHECK:           %[[P:.*]] = affine.apply #[[POSITION]](%[[I]])
// CHECK:           sparse_attn.attention {{.*}} : tensor<1x4x?x64xf32>, tensor<1x4x4096x64xf32>, tensor<1x4x4096x64xf32>)
// CHECK-SAME:        origin(%c0, %[[P]])
func.func @ragged_rows_after_a_cache(%q: tensor<1x4x100x64xf32>, %k: tensor<1x4x4096x64xf32>,
                                     %init: tensor<1x4x100x64xf32>) -> tensor<1x4x100x64xf32> {
  %o = sparse_attn.attention mask(#sparse_attn.causal)
      ins(%q, %k, %k : tensor<1x4x100x64xf32>, tensor<1x4x4096x64xf32>, tensor<1x4x4096x64xf32>)
      outs(%init : tensor<1x4x100x64xf32>) -> tensor<1x4x100x64xf32>
  return %o : tensor<1x4x100x64xf32>
}
module attributes {transform.with_named_sequence} {
  transform.named_sequence @__transform_main(%module: !transform.any_op) {
    %op = transform.structured.match ops{["sparse_attn.attention"]} in %module
        : (!transform.any_op) -> !transform.any_op
    transform.structured.tile_using_for %op tile_sizes [0, 0, 64]
        : (!transform.any_op) -> (!transform.any_op, !transform.any_op)
    transform.yield
  }
}

// -----

// A tile can be tiled again: origins add up.
//
// CHECK-DAG:   #[[SUM:.*]] = affine_map<(d0)[s0] -> (d0 + s0)>
// CHECK-LABEL: func.func @again
// CHECK-SAME:    %[[HEAD:[a-z0-9]+]]: index, %[[POSITION:[a-z0-9]+]]: index
// CHECK:         scf.for %[[H:.*]] = %c0 to %c4 step %c1
// CHECK:           %[[H2:.*]] = affine.apply #[[SUM]](%[[H]])[%[[HEAD]]]
// CHECK:           sparse_attn.attention {{.*}} origin(%[[H2]], %[[POSITION]])
func.func @again(%head: index, %position: index, %q: tensor<1x4x16x8xf32>,
                 %k: tensor<1x4x64x8xf32>, %init: tensor<1x4x16x8xf32>) -> tensor<1x4x16x8xf32> {
  %o = sparse_attn.attention mask(#sparse_attn.causal)
      ins(%q, %k, %k : tensor<1x4x16x8xf32>, tensor<1x4x64x8xf32>, tensor<1x4x64x8xf32>)
      origin(%head, %position)
      outs(%init : tensor<1x4x16x8xf32>) -> tensor<1x4x16x8xf32>
  return %o : tensor<1x4x16x8xf32>
}
module attributes {transform.with_named_sequence} {
  transform.named_sequence @__transform_main(%module: !transform.any_op) {
    %op = transform.structured.match ops{["sparse_attn.attention"]} in %module
        : (!transform.any_op) -> !transform.any_op
    transform.structured.tile_using_for %op tile_sizes [0, 1, 0]
        : (!transform.any_op) -> (!transform.any_op, !transform.any_op)
    transform.yield
  }
}

// -----

// Of grouped heads, one query head takes its group's key head: h / 4.
//
// CHECK:       #[[GROUP:.*]] = affine_map<(d0) -> (d0 floordiv 4)>
// CHECK-LABEL: func.func @one_grouped_head
// CHECK-SAME:    %{{[a-z0-9]+}}: tensor<2x8x16x8xf32>, %[[K:[a-z0-9]+]]: tensor<2x2x16x8xf32>
// CHECK:         scf.forall (%[[B:.*]], %[[H:.*]]) in (2, 8)
// CHECK:           %[[HK:.*]] = affine.apply #[[GROUP]](%[[H]])
// CHECK:           tensor.extract_slice %[[K]][%[[B]], %[[HK]], 0, 0] [1, 1, 16, 8]
// CHECK:           sparse_attn.attention {{.*}} origin(%[[H]], %c0)
func.func @one_grouped_head(%q: tensor<2x8x16x8xf32>, %k: tensor<2x2x16x8xf32>,
                            %init: tensor<2x8x16x8xf32>) -> tensor<2x8x16x8xf32> {
  %o = sparse_attn.attention mask(#sparse_attn.causal)
      ins(%q, %k, %k : tensor<2x8x16x8xf32>, tensor<2x2x16x8xf32>, tensor<2x2x16x8xf32>)
      outs(%init : tensor<2x8x16x8xf32>) -> tensor<2x8x16x8xf32>
  return %o : tensor<2x8x16x8xf32>
}
module attributes {transform.with_named_sequence} {
  transform.named_sequence @__transform_main(%module: !transform.any_op) {
    %op = transform.structured.match ops{["sparse_attn.attention"]} in %module
        : (!transform.any_op) -> !transform.any_op
    transform.structured.tile_using_forall %op tile_sizes [1, 1, 0]
        : (!transform.any_op) -> (!transform.any_op, !transform.any_op)
    transform.yield
  }
}

// -----

// All grouped heads together take all key heads.
//
// CHECK-LABEL: func.func @all_grouped_heads
// CHECK:         scf.forall (%{{.*}}) in (4)
// CHECK:           sparse_attn.attention {{.*}} : tensor<2x8x4x8xf32>, tensor<2x2x16x8xf32>, tensor<2x2x16x8xf32>)
func.func @all_grouped_heads(%q: tensor<2x8x16x8xf32>, %k: tensor<2x2x16x8xf32>,
                             %init: tensor<2x8x16x8xf32>) -> tensor<2x8x16x8xf32> {
  %o = sparse_attn.attention mask(#sparse_attn.causal)
      ins(%q, %k, %k : tensor<2x8x16x8xf32>, tensor<2x2x16x8xf32>, tensor<2x2x16x8xf32>)
      outs(%init : tensor<2x8x16x8xf32>) -> tensor<2x8x16x8xf32>
  return %o : tensor<2x8x16x8xf32>
}
module attributes {transform.with_named_sequence} {
  transform.named_sequence @__transform_main(%module: !transform.any_op) {
    %op = transform.structured.match ops{["sparse_attn.attention"]} in %module
        : (!transform.any_op) -> !transform.any_op
    transform.structured.tile_using_forall %op tile_sizes [0, 0, 4]
        : (!transform.any_op) -> (!transform.any_op, !transform.any_op)
    transform.yield
  }
}

// -----

// Fusion both ways: tiling what follows attention (here a residual sum) pulls
// attention into the loop, and attention pulls in what makes its queries (here
// a scaling): no intermediate is ever whole in memory.
//
// CHECK-LABEL: func.func @fuse
// CHECK:         scf.forall (%[[T:.*]]) in (8)
// CHECK:           %[[Q:.*]] = linalg.elementwise kind=#linalg.elementwise_kind<exp> {{.*}} -> tensor<1x4x16x8xf32>
// CHECK:           %[[A:.*]] = sparse_attn.attention {{.*}} ins(%[[Q]],
// CHECK:           linalg.add ins(%[[A]],
// CHECK:         return
func.func @fuse(%x: tensor<1x4x128x8xf32>, %k: tensor<1x4x128x8xf32>) -> tensor<1x4x128x8xf32> {
  %empty = tensor.empty() : tensor<1x4x128x8xf32>
  %q = linalg.elementwise kind=#linalg.elementwise_kind<exp>
      ins(%x : tensor<1x4x128x8xf32>) outs(%empty : tensor<1x4x128x8xf32>) -> tensor<1x4x128x8xf32>
  %o = sparse_attn.attention mask(#sparse_attn.causal)
      ins(%q, %k, %k : tensor<1x4x128x8xf32>, tensor<1x4x128x8xf32>, tensor<1x4x128x8xf32>)
      outs(%empty : tensor<1x4x128x8xf32>) -> tensor<1x4x128x8xf32>
  %sum = linalg.add ins(%o, %x : tensor<1x4x128x8xf32>, tensor<1x4x128x8xf32>)
      outs(%empty : tensor<1x4x128x8xf32>) -> tensor<1x4x128x8xf32>
  return %sum : tensor<1x4x128x8xf32>
}
module attributes {transform.with_named_sequence} {
  transform.named_sequence @__transform_main(%module: !transform.any_op) {
    %sum = transform.structured.match ops{["linalg.add"]} in %module
        : (!transform.any_op) -> !transform.any_op
    %tiled, %loop = transform.structured.tile_using_forall %sum tile_sizes [0, 0, 16]
        : (!transform.any_op) -> (!transform.any_op, !transform.any_op)
    %op = transform.structured.match ops{["sparse_attn.attention"]} in %module
        : (!transform.any_op) -> !transform.any_op
    %fused, %loop1 = transform.structured.fuse_into_containing_op %op into %loop
        : (!transform.any_op, !transform.any_op) -> (!transform.any_op, !transform.any_op)
    %q = transform.structured.match ops{["linalg.elementwise"]} in %module
        : (!transform.any_op) -> !transform.any_op
    transform.structured.fuse_into_containing_op %q into %loop1
        : (!transform.any_op, !transform.any_op) -> (!transform.any_op, !transform.any_op)
    transform.yield
  }
}

// -----

// A consumer of the log-sum-exp alone pulls attention in as well: the slice of
// [B, H, Sq] names the tile.
//
// CHECK-LABEL: func.func @fuse_by_lse
// CHECK:         scf.forall (%[[T:.*]]) in (8)
// CHECK:           %[[A:.*]]:2 = sparse_attn.attention {{.*}} -> tensor<1x4x16x8xf32>, tensor<1x4x16xf32>
// CHECK:           linalg.exp ins(%[[A]]#1 : tensor<1x4x16xf32>)
func.func @fuse_by_lse(%q: tensor<1x4x128x8xf32>, %l: tensor<1x4x128xf32>) -> tensor<1x4x128xf32> {
  %empty = tensor.empty() : tensor<1x4x128x8xf32>
  %o:2 = sparse_attn.attention mask(#sparse_attn.causal)
      ins(%q, %q, %q : tensor<1x4x128x8xf32>, tensor<1x4x128x8xf32>, tensor<1x4x128x8xf32>)
      outs(%empty, %l : tensor<1x4x128x8xf32>, tensor<1x4x128xf32>) -> tensor<1x4x128x8xf32>, tensor<1x4x128xf32>
  %e = linalg.exp ins(%o#1 : tensor<1x4x128xf32>) outs(%l : tensor<1x4x128xf32>) -> tensor<1x4x128xf32>
  return %e : tensor<1x4x128xf32>
}
module attributes {transform.with_named_sequence} {
  transform.named_sequence @__transform_main(%module: !transform.any_op) {
    %exp = transform.structured.match ops{["linalg.exp"]} in %module
        : (!transform.any_op) -> !transform.any_op
    %tiled, %loop = transform.structured.tile_using_forall %exp tile_sizes [0, 0, 16]
        : (!transform.any_op) -> (!transform.any_op, !transform.any_op)
    %op = transform.structured.match ops{["sparse_attn.attention"]} in %module
        : (!transform.any_op) -> !transform.any_op
    transform.structured.fuse_into_containing_op %op into %loop
        : (!transform.any_op, !transform.any_op) -> (!transform.any_op, !transform.any_op)
    transform.yield
  }
}

// -----

// A slice along the value head size is not a tile of attention, which makes
// whole rows: upstream then computes all of them in the loop, slow but right.
//
// CHECK-LABEL: func.func @no_tile_of_head_size
// CHECK:         scf.forall
// CHECK:           %[[A:.*]] = sparse_attn.attention {{.*}} -> tensor<1x4x128x8xf32>
// CHECK:           tensor.extract_slice %[[A]][0, 0, 0, %{{.*}}] [1, 4, 128, 4]
func.func @no_tile_of_head_size(%q: tensor<1x4x128x8xf32>) -> tensor<1x4x128x8xf32> {
  %empty = tensor.empty() : tensor<1x4x128x8xf32>
  %o = sparse_attn.attention mask(#sparse_attn.causal)
      ins(%q, %q, %q : tensor<1x4x128x8xf32>, tensor<1x4x128x8xf32>, tensor<1x4x128x8xf32>)
      outs(%empty : tensor<1x4x128x8xf32>) -> tensor<1x4x128x8xf32>
  %e = linalg.exp ins(%o : tensor<1x4x128x8xf32>) outs(%empty : tensor<1x4x128x8xf32>) -> tensor<1x4x128x8xf32>
  return %e : tensor<1x4x128x8xf32>
}
module attributes {transform.with_named_sequence} {
  transform.named_sequence @__transform_main(%module: !transform.any_op) {
    %exp = transform.structured.match ops{["linalg.exp"]} in %module
        : (!transform.any_op) -> !transform.any_op
    %tiled, %loop = transform.structured.tile_using_forall %exp tile_sizes [0, 0, 0, 4]
        : (!transform.any_op) -> (!transform.any_op, !transform.any_op)
    %op = transform.structured.match ops{["sparse_attn.attention"]} in %module
        : (!transform.any_op) -> !transform.any_op
    transform.structured.fuse_into_containing_op %op into %loop
        : (!transform.any_op, !transform.any_op) -> (!transform.any_op, !transform.any_op)
    transform.yield
  }
}
