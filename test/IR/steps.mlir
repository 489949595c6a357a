// Operations on the tiles that a plan visits.
//
// RUN: sparse-attn-opt %s | sparse-attn-opt | FileCheck %s

// CHECK-LABEL: func.func @steps
// CHECK:         %[[S:.*]] = sparse_attn.initial_state : <32x16xf16>
// CHECK:         %[[A:.*]] = sparse_attn.step %[[S]] ins(%{{.*}}, %{{.*}}, %{{.*}} : tensor<?x8xf16>, tensor<64x8xf16>, tensor<64x16xf16>) at(%{{.*}}, %{{.*}}) keys(64) scale(2.500000e-01) : <32x16xf16>
// CHECK:         %[[B:.*]] = sparse_attn.step %[[S]] ins({{.*}}) at({{.*}}) keys(80) scale(2.500000e-01) trusting mask {
// CHECK-NEXT:    ^bb0(%[[I:.*]]: i32, %[[J:.*]]: i32):
// CHECK:           sparse_attn.yield %{{.*}} : i1
// CHECK-NEXT:    } : <32x16xf16>
// CHECK:         %[[M:.*]] = sparse_attn.merge_states %[[A]], %[[B]] scale(2.500000e-01) : <32x16xf16>
// CHECK:         %[[T:.*]] = sparse_attn.is_trusted %[[M]] rows(%{{.*}}) scale(2.500000e-01) : <32x16xf16>
// CHECK:         %{{.*}}, %{{.*}}, %{{.*}} = sparse_attn.store_state %[[M]] outs(%{{.*}}, %{{.*}}, %{{.*}} : tensor<32xf32>, tensor<32xf32>, tensor<32x16xf32>) : <32x16xf16>
// CHECK:         %[[R:.*]] = sparse_attn.load_state ins(%{{.*}}, %{{.*}}, %{{.*}} : tensor<32xf32>, tensor<32xf32>, tensor<32x16xf32>) : <32x16xf16>
// CHECK:         sparse_attn.finish %[[R]] scale(2.500000e-01) outs(%{{.*}} : tensor<?x16xf16>) : <32x16xf16>
// CHECK:         sparse_attn.finish %[[R]] scale(2.500000e-01) outs(%{{.*}} : tensor<?x16xf16>, %{{.*}} : tensor<?xf32>) : <32x16xf16> -> tensor<?xf32>
func.func @steps(%q: tensor<?x8xf16>, %k: tensor<64x8xf16>, %v: tensor<64x16xf16>, %at: index,
                 %row: tensor<32xf32>, %tile: tensor<32x16xf32>, %o: tensor<?x16xf16>, %l: tensor<?xf32>) -> i1 {
  %s = sparse_attn.initial_state : !sparse_attn.state<32x16xf16>
  %a = sparse_attn.step %s ins(%q, %k, %v : tensor<?x8xf16>, tensor<64x8xf16>, tensor<64x16xf16>)
      at(%at, %at) keys(64) scale(0.25) : !sparse_attn.state<32x16xf16>
  %b = sparse_attn.step %s ins(%q, %k, %v : tensor<?x8xf16>, tensor<64x8xf16>, tensor<64x16xf16>)
      at(%at, %at) keys(80) scale(0.25) trusting mask {
      ^bb0(%i: i32, %j: i32):
        %allowed = arith.cmpi sle, %j, %i : i32
        sparse_attn.yield %allowed : i1
      } : !sparse_attn.state<32x16xf16>
  %m = sparse_attn.merge_states %a, %b scale(0.25) : !sparse_attn.state<32x16xf16>
  %t = sparse_attn.is_trusted %m rows(%at) scale(0.25) : !sparse_attn.state<32x16xf16>
  %x, %y, %z = sparse_attn.store_state %m outs(%row, %row, %tile : tensor<32xf32>, tensor<32xf32>, tensor<32x16xf32>)
      : !sparse_attn.state<32x16xf16>
  %r = sparse_attn.load_state ins(%x, %y, %z : tensor<32xf32>, tensor<32xf32>, tensor<32x16xf32>)
      : !sparse_attn.state<32x16xf16>
  %f = sparse_attn.finish %r scale(0.25) outs(%o : tensor<?x16xf16>) : !sparse_attn.state<32x16xf16>
  %g:2 = sparse_attn.finish %r scale(0.25) outs(%o : tensor<?x16xf16>, %l : tensor<?xf32>)
      : !sparse_attn.state<32x16xf16> -> tensor<?xf32>
  return %t : i1
}
