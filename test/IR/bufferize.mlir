// One-shot bufferisation: the op on memrefs carries the same mask, plan and
// origin, and writes its inits in place where nobody else needs them.
//
// RUN: sparse-attn-opt %s \
// RUN:   --one-shot-bufferize="bufferize-function-boundaries=1 function-boundary-type-conversion=identity-layout-map" \
// RUN:   --canonicalize --cse | FileCheck %s

!t = tensor<1x1x64x8xf32>

// The empty init becomes the one allocation; there is no copy.
// CHECK-LABEL: func.func @empty_init
// CHECK-SAME:    %[[Q:[a-z0-9]+]]: memref<1x1x64x8xf32>, %[[K:[a-z0-9]+]]: memref<1x1x64x8xf32>
// CHECK-NEXT:    %[[O:.*]] = memref.alloc()
// CHECK-NEXT:    sparse_attn.attention mask(#sparse_attn.causal) scale(5.000000e-01)
// CHECK-SAME:      plan(<tile = [16, 16], rows = [<"0" to "nq", segments = [<partial "0" to "4">]>]>)
// CHECK-SAME:      ins(%[[Q]], %[[K]], %[[K]] : {{.*}}) outs(%[[O]] : memref<1x1x64x8xf32>){{$}}
// CHECK-NEXT:    return %[[O]]
func.func @empty_init(%q: !t, %k: !t) -> !t {
  %init = tensor.empty() : !t
  %o = sparse_attn.attention mask(#sparse_attn.causal) scale(5.000000e-01)
      plan(<tile = [16, 16], rows = [<"0" to "nq", segments = [<partial "0" to "4">]>]>)
      ins(%q, %k, %k : !t, !t, !t) outs(%init : !t) -> !t
  return %o : !t
}

// CHECK-LABEL: func.func @softcap
// CHECK:         sparse_attn.attention mask(#sparse_attn.full) softcap(3.000000e+01) ins({{.*}} memref
func.func @softcap(%q: !t) -> !t {
  %init = tensor.empty() : !t
  %o = sparse_attn.attention mask(#sparse_attn.full) softcap(30.0)
      ins(%q, %q, %q : !t, !t, !t) outs(%init : !t) -> !t
  return %o : !t
}

// CHECK-LABEL: func.func @data
// CHECK-SAME:    %[[S:[a-z0-9]+]]: memref<1xf32
// CHECK:         sparse_attn.attention {{.*}} data(sinks = %[[S]] : memref<1xf32{{.*}}>, extra = %[[S]] : memref<1xf32{{.*}}>) outs(
// CHECK-SAME:      score {
// CHECK:             memref.load %[[S]][
// CHECK:             sparse_attn.yield
func.func @data(%q: !t, %sinks: tensor<1xf32>) -> !t {
  %init = tensor.empty() : !t
  %o = sparse_attn.attention mask(#sparse_attn.full)
      ins(%q, %q, %q : !t, !t, !t) data(sinks = %sinks : tensor<1xf32>, extra = %sinks : tensor<1xf32>) outs(%init : !t) score {
      ^bb0(%x: f32, %batch: index, %h: index, %i: index, %j: index):
        %y = tensor.extract %sinks[%h] : tensor<1xf32>
        %z = arith.addf %x, %y : f32
        sparse_attn.yield %z : f32
      } -> !t
  return %o : !t
}

// Both inits of an argument's buffer, and an origin.
// CHECK-LABEL: func.func @in_place
// CHECK-SAME:    %[[H:[a-z0-9]+]]: index, %[[P:[a-z0-9]+]]: index,
// CHECK-SAME:    %[[O:[a-z0-9]+]]: memref<1x1x64x8xf32>, %[[L:[a-z0-9]+]]: memref<1x1x64xf32>)
// CHECK-NOT:     memref.alloc
// CHECK:         sparse_attn.attention {{.*}} origin(%[[H]], %[[P]]) outs(%[[O]], %[[L]] :
// CHECK:         return %[[O]], %[[L]]
func.func @in_place(%h: index, %p: index, %q: !t, %o: !t, %l: tensor<1x1x64xf32>)
    -> (!t, tensor<1x1x64xf32>) {
  %r:2 = sparse_attn.attention mask(#sparse_attn.causal)
      ins(%q, %q, %q : !t, !t, !t) origin(%h, %p)
      outs(%o, %l : !t, tensor<1x1x64xf32>) -> !t, tensor<1x1x64xf32>
  return %r#0, %r#1 : !t, tensor<1x1x64xf32>
}

// Rows of Q are read after rows of O are written, so O may not lie over Q.
// CHECK-LABEL: func.func @init_is_query
// CHECK-SAME:    %[[Q:[a-z0-9]+]]: memref<1x1x64x8xf32>
// CHECK:         %[[O:.*]] = memref.alloc()
// CHECK-NOT:     memref.copy
// CHECK:         sparse_attn.attention {{.*}} ins(%[[Q]], {{.*}} outs(%[[O]] :
func.func @init_is_query(%q: !t, %k: !t) -> !t {
  %o = sparse_attn.attention mask(#sparse_attn.causal)
      ins(%q, %k, %k : !t, !t, !t) outs(%q : !t) -> !t
  return %o : !t
}

// Inits are written, never read: a second use of one needs a new buffer but no
// copy of what it holds.
// CHECK-LABEL: func.func @inits_are_not_read
// CHECK-NOT:     memref.copy
// CHECK-COUNT-2: sparse_attn.attention
// CHECK-NOT:     memref.copy
// CHECK:         return
func.func @inits_are_not_read(%q: !t, %k: !t) -> (!t, !t) {
  %zero = arith.constant 0.0 : f32
  %empty = tensor.empty() : !t
  %init = linalg.fill ins(%zero : f32) outs(%empty : !t) -> !t
  %a = sparse_attn.attention mask(#sparse_attn.causal)
      ins(%q, %k, %k : !t, !t, !t) outs(%init : !t) -> !t
  %b = sparse_attn.attention mask(#sparse_attn.full)
      ins(%a, %k, %k : !t, !t, !t) outs(%init : !t) -> !t
  return %a, %b : !t, !t
}

// Rows are read where they are.
// CHECK-LABEL: func.func @read_rows
// CHECK-SAME:    %[[K:[a-z0-9]+]]: memref<?x8xf16>, %[[P:[a-z0-9]+]]: vector<16xi32>
// CHECK-NEXT:    %[[ROWS:.*]] = sparse_attn.read_rows %[[K]] at %[[P]] : memref<?x8xf16>, vector<16xi32> -> vector<16x8xf16>
// CHECK-NEXT:    return %[[ROWS]]
func.func @read_rows(%k: tensor<?x8xf16>, %p: vector<16xi32>) -> vector<16x8xf16> {
  %rows = sparse_attn.read_rows %k at %p : tensor<?x8xf16>, vector<16xi32> -> vector<16x8xf16>
  return %rows : vector<16x8xf16>
}

// Rows are written where they are, before what iterations combine.
// CHECK-LABEL: func.func @scatter_rows
// CHECK-SAME:    %[[T:[a-z0-9]+]]: vector<16x8xf16>, %[[P:[a-z0-9]+]]: vector<16xi32>, %[[OUT:[a-z0-9]+]]: memref<4x?x32xf16>
// CHECK:         scf.forall (%[[I:.*]]) in (4) {
// CHECK:           %[[ROWS:.*]] = memref.subview %[[OUT]][%[[I]], 0, %{{.*}}] [1, %{{.*}}, 8] [1, 1, 1] : memref<4x?x32xf16> to memref<?x8xf16, strided<[32, 1], offset: ?>>
// CHECK-NEXT:      sparse_attn.write_rows %[[T]] into %[[ROWS]] at %[[P]] : vector<16x8xf16>, vector<16xi32> into memref<?x8xf16, strided<[32, 1], offset: ?>>
// CHECK-NEXT:    }
// CHECK-NEXT:    return %[[OUT]]
func.func @scatter_rows(%t: vector<16x8xf16>, %p: vector<16xi32>, %output: tensor<4x?x32xf16>, %column: index) -> tensor<4x?x32xf16> {
  %r = scf.forall (%i) in (4) shared_outs(%o = %output) -> tensor<4x?x32xf16> {
    scf.forall.in_parallel {
      sparse_attn.scatter_rows %t into %o[%i] column %column at %p : vector<16x8xf16>, vector<16xi32> into tensor<4x?x32xf16>
    }
  }
  return %r : tensor<4x?x32xf16>
}
