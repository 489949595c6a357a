// A score region is computed on natural scores, in one pass with the mask, and the
// exponent has no factor left. What it makes of the head alone is computed once a tile.
//
// RUN: sparse-attn-opt %s --sparse-attn-steps-to-lanes --canonicalize | FileCheck %s

// Of the scale 0.3, Q takes 0.25 and the scores 1.2.
//
// CHECK-LABEL: func.func @exact
// CHECK-SAME:    %{{.*}}: tensor<32x16xf32>, %[[SLOPES:[a-z0-9]+]]: tensor<4xf32>, %[[ROW:[a-z0-9]+]]: index, %[[KEY:[a-z0-9]+]]: index, %{{.*}}: index, %[[H:[a-z0-9]+]]: index)
// CHECK-DAG:     %[[POWER:.*]] = arith.constant 2.500000e-01 : f32
// CHECK-DAG:     %[[REST:.*]] = arith.constant 1.200000e+00 : f32
// CHECK-DAG:     %[[MINF:.*]] = arith.constant 0xFF800000 : f32
// CHECK:         arith.mulf %{{.*}}, %[[POWER]] : f32
// CHECK:         %[[I0:.*]] = arith.index_cast %[[ROW]] : index to i32
// CHECK:         %[[J0:.*]] = arith.index_cast %[[KEY]] : index to i32
// CHECK:         %[[SLOPE:.*]] = tensor.extract %[[SLOPES]][%[[H]]]
// CHECK:         linalg.generic {{.*}} outs(%{{.*}} : tensor<16x32xf32>)
// CHECK:         ^bb0(%[[S:[a-z0-9]+]]: f32):
// CHECK-DAG:       %[[K:.*]] = linalg.index 0
// CHECK-DAG:       %[[Q:.*]] = linalg.index 1
// CHECK-DAG:       %[[SCALED:.*]] = arith.mulf %[[S]], %[[REST]] : f32
// CHECK-DAG:       %[[QI:.*]] = arith.index_cast %[[Q]] : index to i32
// CHECK-DAG:       %[[I:.*]] = arith.addi %[[I0]], %[[QI]] : i32
// CHECK-DAG:       %[[KI:.*]] = arith.index_cast %[[K]] : index to i32
// CHECK-DAG:       %[[J:.*]] = arith.addi %[[J0]], %[[KI]] : i32
// CHECK:           %[[TANH:.*]] = math.tanh %[[SCALED]]
// CHECK:           %[[D:.*]] = arith.subi %[[J]], %[[I]] : i32
// CHECK:           %[[DF:.*]] = arith.sitofp %[[D]]
// CHECK:           %[[T:.*]] = arith.mulf %[[DF]], %[[SLOPE]]
// CHECK:           %[[NEW:.*]] = arith.addf %[[TANH]], %[[T]]
// CHECK:           %[[LIVE:.*]] = arith.cmpi sle
// CHECK:           %[[FINITE:.*]] = arith.select %{{.*}}, %{{.*}}, %[[NEW]] : f32
// CHECK:           arith.select %[[LIVE]], %[[FINITE]], %[[MINF]] : f32
// CHECK:           %[[X:.*]] = arith.subf
// CHECK-NEXT:      math.exp %[[X]] fastmath<afn>
func.func @exact(%q: tensor<32x8xf32>, %k: tensor<16x8xf32>, %v: tensor<16x16xf32>, %o: tensor<32x16xf32>,
                 %slopes: tensor<4xf32>, %row: index, %key: index, %b: index, %h: index) -> tensor<32x16xf32> {
  %s = sparse_attn.initial_state : !sparse_attn.state<32x16xf32>
  %r = sparse_attn.step %s ins(%q, %k, %v : tensor<32x8xf32>, tensor<16x8xf32>, tensor<16x16xf32>)
      at(%row, %key) keys(16) scale(0.3) score(%b, %h) {
      ^bb0(%x: f32, %batch: index, %head: index, %i: i32, %j: i32):
        %slope = tensor.extract %slopes[%head] : tensor<4xf32>
        %tanh = math.tanh %x : f32
        %d = arith.subi %j, %i : i32
        %df = arith.sitofp %d : i32 to f32
        %t = arith.mulf %df, %slope : f32
        %y = arith.addf %tanh, %t : f32
        sparse_attn.yield %y : f32
      } mask {
      ^bb0(%i: i32, %j: i32):
        %allowed = arith.cmpi sle, %j, %i : i32
        sparse_attn.yield %allowed : i1
      } : !sparse_attn.state<32x16xf32>
  %f = sparse_attn.finish %r scale(1.0) outs(%o : tensor<32x16xf32>) : !sparse_attn.state<32x16xf32>
  return %f : tensor<32x16xf32>
}
