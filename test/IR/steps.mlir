// Operations on the tiles that a plan visits.
//
// RUN: sparse-attn-opt %s | sparse-attn-opt | FileCheck %s

// CHECK-LABEL: func.func @steps
// CHECK:         %[[S:.*]] = sparse_attn.initial_state : <32x16xf16>
// CHECK:         %[[A:.*]] = sparse_attn.step %[[S]] ins(%{{.*}}, %{{.*}}, %{{.*}} : tensor<?x8xf16>, tensor<64x8xf16>, tensor<64x16xf16>) at(%{{.*}}, %{{.*}}) keys(64) scale(2.500000e-01) : <32x16xf16>
// CHECK:         %[[B:.*]] = sparse_attn.step %[[A]] ins({{.*}}) at({{.*}}) keys(80) scale(2.500000e-01) mask {
// CHECK-NEXT:    ^bb0(%[[I:.*]]: i32, %[[J:.*]]: i32):
// CHECK:           sparse_attn.yield %{{.*}} : i1
// CHECK-NEXT:    } : <32x16xf16>
// CHECK:         %{{.*}}, %{{.*}}, %{{.*}} = sparse_attn.store_state %[[B]] outs(%{{.*}}, %{{.*}}, %{{.*}} : tensor<32xf32>, tensor<32xf32>, tensor<32x16xf32>) : <32x16xf16>
// CHECK:         %[[M:.*]] = sparse_attn.merge_stored %{{.*}}, %{{.*}}, %{{.*}}[%{{.*}}] scale(2.500000e-01) : tensor<5x4x32xf32>, tensor<5x4x32xf32>, tensor<5x4x32x16xf32> -> <32x16xf16>
// CHECK:         sparse_attn.finish %[[B]] scale(2.500000e-01) outs(%{{.*}} : tensor<?x16xf16>) : <32x16xf16>
// CHECK:         sparse_attn.finish %[[M]] scale(2.500000e-01) outs(%{{.*}} : tensor<?x16xf16>, %{{.*}} : tensor<?xf32>) : <32x16xf16> -> tensor<?xf32>
// CHECK:         sparse_attn.finish %[[M]] scale(2.500000e-01) sink(%[[L:.*]] : tensor<?xf32>) outs(%{{.*}} : tensor<?x16xf16>, %[[L]] : tensor<?xf32>) : <32x16xf16> -> tensor<?xf32>
// CHECK:         sparse_attn.finish %[[M]] scale(2.500000e-01) sink(%{{.*}} : f32) outs(%{{.*}} : tensor<?x16xf16>) : <32x16xf16>
func.func @steps(%q: tensor<?x8xf16>, %k: tensor<64x8xf16>, %v: tensor<64x16xf16>, %at: index,
                 %row: tensor<32xf32>, %tile: tensor<32x16xf32>, %o: tensor<?x16xf16>, %l: tensor<?xf32>,
                 %rows: tensor<5x4x32xf32>, %tiles: tensor<5x4x32x16xf32>) {
  %s = sparse_attn.initial_state : !sparse_attn.state<32x16xf16>
  %a = sparse_attn.step %s ins(%q, %k, %v : tensor<?x8xf16>, tensor<64x8xf16>, tensor<64x16xf16>)
      at(%at, %at) keys(64) scale(0.25) : !sparse_attn.state<32x16xf16>
  %b = sparse_attn.step %a ins(%q, %k, %v : tensor<?x8xf16>, tensor<64x8xf16>, tensor<64x16xf16>)
      at(%at, %at) keys(80) scale(0.25) mask {
      ^bb0(%i: i32, %j: i32):
        %allowed = arith.cmpi sle, %j, %i : i32
        sparse_attn.yield %allowed : i1
      } : !sparse_attn.state<32x16xf16>
  %x, %y, %z = sparse_attn.store_state %b outs(%row, %row, %tile : tensor<32xf32>, tensor<32xf32>, tensor<32x16xf32>)
      : !sparse_attn.state<32x16xf16>
  %m = sparse_attn.merge_stored %rows, %rows, %tiles[%at] scale(0.25)
      : tensor<5x4x32xf32>, tensor<5x4x32xf32>, tensor<5x4x32x16xf32> -> !sparse_attn.state<32x16xf16>
  %f = sparse_attn.finish %b scale(0.25) outs(%o : tensor<?x16xf16>) : !sparse_attn.state<32x16xf16>
  %g:2 = sparse_attn.finish %m scale(0.25) outs(%o : tensor<?x16xf16>, %l : tensor<?xf32>)
      : !sparse_attn.state<32x16xf16> -> tensor<?xf32>
  %h:2 = sparse_attn.finish %m scale(0.25) sink(%l : tensor<?xf32>) outs(%o : tensor<?x16xf16>, %l : tensor<?xf32>)
      : !sparse_attn.state<32x16xf16> -> tensor<?xf32>
  %one = arith.constant 1.0 : f32
  %i = sparse_attn.finish %m scale(0.25) sink(%one : f32) outs(%o : tensor<?x16xf16>) : !sparse_attn.state<32x16xf16>
  return
}

// CHECK-LABEL: func.func @score
// CHECK-SAME:    %[[B:[a-z0-9]+]]: index, %[[H:[a-z0-9]+]]: index)
// CHECK:         %[[A:.*]] = sparse_attn.step {{.*}} keys(64) scale(2.500000e-01) score(%[[B]], %[[H]]) {
// CHECK-NEXT:    ^bb0(%[[S:.*]]: f32, %{{.*}}: index, %{{.*}}: index, %{{.*}}: i32, %{{.*}}: i32):
// CHECK-NEXT:      %[[T:.*]] = math.tanh %[[S]] : f32
// CHECK-NEXT:      sparse_attn.yield %[[T]] : f32
// CHECK-NEXT:    } : <32x16xf16>
// CHECK:         sparse_attn.step %[[A]] {{.*}} score(%[[B]], %[[H]]) {
// CHECK:           sparse_attn.yield %{{.*}} : f32
// CHECK-NEXT:    } mask {
// CHECK:           sparse_attn.yield %{{.*}} : i1
// CHECK-NEXT:    } : <32x16xf16>
func.func @score(%s: !sparse_attn.state<32x16xf16>, %q: tensor<32x8xf16>, %k: tensor<64x8xf16>, %v: tensor<64x16xf16>,
                 %b: index, %h: index) -> !sparse_attn.state<32x16xf16> {
  %a = sparse_attn.step %s ins(%q, %k, %v : tensor<32x8xf16>, tensor<64x8xf16>, tensor<64x16xf16>)
      at(%b, %b) keys(64) scale(0.25) score(%b, %h) {
      ^bb0(%x: f32, %batch: index, %head: index, %i: i32, %j: i32):
        %t = math.tanh %x : f32
        sparse_attn.yield %t : f32
      } : !sparse_attn.state<32x16xf16>
  %r = sparse_attn.step %a ins(%q, %k, %v : tensor<32x8xf16>, tensor<64x8xf16>, tensor<64x16xf16>)
      at(%b, %b) keys(64) scale(0.25) score(%b, %h) {
      ^bb0(%x: f32, %batch: index, %head: index, %i: i32, %j: i32):
        %y = arith.negf %x : f32
        sparse_attn.yield %y : f32
      } mask {
      ^bb0(%i: i32, %j: i32):
        %allowed = arith.cmpi sle, %j, %i : i32
        sparse_attn.yield %allowed : i1
      } : !sparse_attn.state<32x16xf16>
  return %r : !sparse_attn.state<32x16xf16>
}

// CHECK-LABEL: func.func @reach
// CHECK-SAME:    %[[A:[a-z0-9]+]]: i32, %[[B:[a-z0-9]+]]: i32
// CHECK:         sparse_attn.step %{{.*}} keys(64) scale(2.500000e-01) reach(%[[A]] to %[[B]]) full(%[[B]] to %[[A]]) mask {
func.func @reach(%s: !sparse_attn.state<32x16xf16>, %q: tensor<32x8xf16>, %k: tensor<64x8xf16>, %v: tensor<64x16xf16>,
                 %at: index, %a: i32, %b: i32) -> !sparse_attn.state<32x16xf16> {
  %r = sparse_attn.step %s ins(%q, %k, %v : tensor<32x8xf16>, tensor<64x8xf16>, tensor<64x16xf16>)
      at(%at, %at) keys(64) scale(0.25) reach(%a to %b) full(%b to %a) mask {
      ^bb0(%i: i32, %j: i32):
        %allowed = arith.cmpi sle, %j, %i : i32
        sparse_attn.yield %allowed : i1
      } : !sparse_attn.state<32x16xf16>
  return %r : !sparse_attn.state<32x16xf16>
}

// CHECK-LABEL: func.func @trusting
// CHECK:         %[[S:.*]] = sparse_attn.initial_state : <32x16xf32, trusting>
// CHECK:         %[[A:.*]] = sparse_attn.step %[[S]] {{.*}} : <32x16xf32, trusting>
// CHECK:         %[[T:.*]] = sparse_attn.is_trusted %[[A]] rows(%{{.*}}) scale(2.500000e-01) : <32x16xf32, trusting>
// CHECK:         sparse_attn.restart %[[A]] : <32x16xf32, trusting> -> <32x16xf32, trusting>
// CHECK:         sparse_attn.restart %[[A]] : <32x16xf32, trusting> -> <32x16xf32>
// CHECK:         sparse_attn.settle %[[A]] : <32x16xf32, trusting> -> <32x16xf32>
func.func @trusting(%q: tensor<32x8xf32>, %k: tensor<64x8xf32>, %v: tensor<64x16xf32>, %at: index)
    -> (i1, !sparse_attn.state<32x16xf32, trusting>, !sparse_attn.state<32x16xf32>, !sparse_attn.state<32x16xf32>) {
  %s = sparse_attn.initial_state : !sparse_attn.state<32x16xf32, trusting>
  %a = sparse_attn.step %s ins(%q, %k, %v : tensor<32x8xf32>, tensor<64x8xf32>, tensor<64x16xf32>)
      at(%at, %at) keys(64) scale(0.25) : !sparse_attn.state<32x16xf32, trusting>
  %t = sparse_attn.is_trusted %a rows(%at) scale(0.25) : !sparse_attn.state<32x16xf32, trusting>
  %r = sparse_attn.restart %a : !sparse_attn.state<32x16xf32, trusting> -> !sparse_attn.state<32x16xf32, trusting>
  %i = sparse_attn.restart %a : !sparse_attn.state<32x16xf32, trusting> -> !sparse_attn.state<32x16xf32>
  %e = sparse_attn.settle %a : !sparse_attn.state<32x16xf32, trusting> -> !sparse_attn.state<32x16xf32>
  return %t, %r, %i, %e : i1, !sparse_attn.state<32x16xf32, trusting>, !sparse_attn.state<32x16xf32>, !sparse_attn.state<32x16xf32>
}

// CHECK-LABEL: func.func @positions
// CHECK-SAME:    %[[P:[a-z0-9]+]]: tensor<64xi32>
// CHECK:         %[[K:.*]] = sparse_attn.gather_rows %{{.*}}[%{{.*}}] at %[[P]] : tensor<4x?x8xf16>, tensor<64xi32> -> tensor<64x8xf16>
// CHECK:         sparse_attn.step %{{.*}} ins(%{{.*}}, %[[K]], %{{.*}} : {{.*}}) at(%{{.*}}, %[[P]] : tensor<64xi32>) keys(64)
func.func @positions(%s: !sparse_attn.state<32x16xf16>, %q: tensor<32x8xf16>, %k: tensor<4x?x8xf16>, %v: tensor<64x16xf16>,
                     %p: tensor<64xi32>, %at: index) -> !sparse_attn.state<32x16xf16> {
  %rows = sparse_attn.gather_rows %k[%at] at %p : tensor<4x?x8xf16>, tensor<64xi32> -> tensor<64x8xf16>
  %r = sparse_attn.step %s ins(%q, %rows, %v : tensor<32x8xf16>, tensor<64x8xf16>, tensor<64x16xf16>)
      at(%at, %p : tensor<64xi32>) keys(64) scale(0.25) : !sparse_attn.state<32x16xf16>
  return %r : !sparse_attn.state<32x16xf16>
}

// CHECK-LABEL: func.func @row_positions
// CHECK-SAME:    %[[P:[a-z0-9]+]]: tensor<32xi32>
// CHECK:         sparse_attn.step {{.*}} at(%[[P]] : tensor<32xi32>, %{{.*}}) keys(64)
func.func @row_positions(%s: !sparse_attn.state<32x16xf16>, %q: tensor<32x8xf16>, %k: tensor<64x8xf16>, %v: tensor<64x16xf16>,
                         %p: tensor<32xi32>, %at: index) -> !sparse_attn.state<32x16xf16> {
  %r = sparse_attn.step %s ins(%q, %k, %v : tensor<32x8xf16>, tensor<64x8xf16>, tensor<64x16xf16>)
      at(%p : tensor<32xi32>, %at) keys(64) scale(0.25) : !sparse_attn.state<32x16xf16>
  return %r : !sparse_attn.state<32x16xf16>
}

// Rows of tiles to results of a loop, and of vectors and buffers to a buffer.
// CHECK-LABEL: func.func @scattered
// CHECK:         sparse_attn.scatter_rows %{{.*}} into %[[O:.*]][%[[I:.*]]] column %{{.*}} at %{{.*}} : tensor<16x8xf16>, tensor<16xi32> into tensor<4x?x32xf16>
// CHECK:         sparse_attn.scatter_rows %{{.*}} into %{{.*}}[%[[I]]] at %{{.*}} : vector<16xf32>, vector<16xi32> into tensor<4x?xf32>
func.func @scattered(%t: tensor<16x8xf16>, %p: tensor<16xi32>, %l: vector<16xf32>, %n: vector<16xi32>, %column: index,
                     %output: tensor<4x?x32xf16>, %lse: tensor<4x?xf32>) -> (tensor<4x?x32xf16>, tensor<4x?xf32>) {
  %r:2 = scf.forall (%i) in (4) shared_outs(%o = %output, %s = %lse) -> (tensor<4x?x32xf16>, tensor<4x?xf32>) {
    scf.forall.in_parallel {
      sparse_attn.scatter_rows %t into %o[%i] column %column at %p : tensor<16x8xf16>, tensor<16xi32> into tensor<4x?x32xf16>
      sparse_attn.scatter_rows %l into %s[%i] at %n : vector<16xf32>, vector<16xi32> into tensor<4x?xf32>
    }
  }
  return %r#0, %r#1 : tensor<4x?x32xf16>, tensor<4x?xf32>
}

// CHECK-LABEL: func.func @written
// CHECK:         sparse_attn.write_rows %{{.*}} into %{{.*}} at %{{.*}} : vector<16x8xf16>, vector<16xi32> into memref<?x8xf16>
// CHECK:         sparse_attn.write_rows %{{.*}} into %{{.*}} at %{{.*}} : memref<16xf32>, memref<16xi32> into memref<?xf32>
func.func @written(%t: vector<16x8xf16>, %n: vector<16xi32>, %o: memref<?x8xf16>, %l: memref<16xf32>, %p: memref<16xi32>, %s: memref<?xf32>) {
  sparse_attn.write_rows %t into %o at %n : vector<16x8xf16>, vector<16xi32> into memref<?x8xf16>
  sparse_attn.write_rows %l into %s at %p : memref<16xf32>, memref<16xi32> into memref<?xf32>
  return
}

// Rows as vectors, of a tensor and of a buffer.
// CHECK-LABEL: func.func @rows_as_vectors
// CHECK:         sparse_attn.read_rows %{{.*}} at %{{.*}} : tensor<?x8xf16>, vector<64xi32> -> vector<64x8xf16>
// CHECK:         sparse_attn.read_rows %{{.*}} at %{{.*}} : memref<32x8xf32>, vector<16xi32> -> vector<16x8xf32>
func.func @rows_as_vectors(%k: tensor<?x8xf16>, %m: memref<32x8xf32>, %p: vector<64xi32>, %r: vector<16xi32>)
    -> (vector<64x8xf16>, vector<16x8xf32>) {
  %a = sparse_attn.read_rows %k at %p : tensor<?x8xf16>, vector<64xi32> -> vector<64x8xf16>
  %b = sparse_attn.read_rows %m at %r : memref<32x8xf32>, vector<16xi32> -> vector<16x8xf32>
  return %a, %b : vector<64x8xf16>, vector<16x8xf32>
}
