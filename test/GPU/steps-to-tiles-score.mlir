// A score region is computed on natural scores, in one pass with the mask, and the factor
// of the exponent is log2(e). Trusting steps have it as exact ones do.
//
// RUN: sparse-attn-opt %s --sparse-attn-steps-to-tiles --canonicalize | FileCheck %s

// CHECK-LABEL: func.func @exact
// CHECK-SAME:    %[[ROW:[a-z0-9]+]]: index, %[[KEY:[a-z0-9]+]]: index, %{{.*}}: index, %[[H:[a-z0-9]+]]: index)
// CHECK-DAG:     %[[SCALE:.*]] = arith.constant -3.000000e-01 : f32
// CHECK-DAG:     %[[LOWEST:.*]] = arith.constant -3.40282347E+38 : f32
// CHECK-DAG:     %[[MINF:.*]] = arith.constant 0xFF800000 : f32
// CHECK-DAG:     %[[LOG2E:.*]] = arith.constant 1.44269502 : f32
// CHECK:         %[[I0:.*]] = arith.index_cast %[[ROW]] : index to i32
// CHECK:         %[[J0:.*]] = arith.index_cast %[[KEY]] : index to i32
// CHECK:         %[[SLOPE:.*]] = arith.sitofp %{{.*}} : i32 to f32
// CHECK:         linalg.contract
// CHECK:         linalg.generic {{.*}} outs(%{{.*}} : tensor<32x16xf32>)
// CHECK:         ^bb0(%[[S:[a-z0-9]+]]: f32):
// CHECK:           %[[SCALED:.*]] = arith.mulf %[[S]], %[[SCALE]] : f32
// CHECK:           %[[TANH:.*]] = math.tanh %[[SCALED]]
// CHECK:           %[[NEW:.*]] = arith.mulf %[[TANH]], %[[SLOPE]]
// CHECK:           %[[LIVE:.*]] = arith.cmpi sle
// CHECK:           %[[FINITE:.*]] = arith.maximumf %[[NEW]], %[[LOWEST]] : f32
// CHECK:           arith.select %[[LIVE]], %[[FINITE]], %[[MINF]] : f32
// CHECK:           math.fma %{{.*}}, %[[LOG2E]], %{{.*}} : f32
// CHECK-NEXT:      math.exp2
func.func @exact(%q: tensor<32x16xf16>, %k: tensor<16x16xf16>, %v: tensor<16x16xf16>, %o: tensor<32x16xf16>,
                 %row: index, %key: index, %b: index, %h: index) -> tensor<32x16xf16> {
  %s = sparse_attn.initial_state : !sparse_attn.state<32x16xf16>
  %r = sparse_attn.step %s ins(%q, %k, %v : tensor<32x16xf16>, tensor<16x16xf16>, tensor<16x16xf16>)
      at(%row, %key) keys(16) scale(-0.3) score(%b, %h) {
      ^bb0(%x: f32, %batch: index, %head: index, %i: i32, %j: i32):
        %head32 = arith.index_cast %head : index to i32
        %slope = arith.sitofp %head32 : i32 to f32
        %tanh = math.tanh %x : f32
        %y = arith.mulf %tanh, %slope : f32
        sparse_attn.yield %y : f32
      } mask {
      ^bb0(%i: i32, %j: i32):
        %allowed = arith.cmpi sle, %j, %i : i32
        sparse_attn.yield %allowed : i1
      } : !sparse_attn.state<32x16xf16>
  %f = sparse_attn.finish %r scale(1.0) outs(%o : tensor<32x16xf16>) : !sparse_attn.state<32x16xf16>
  return %f : tensor<32x16xf16>
}

// What is tested of the state: |m log2(e)|.
//
// CHECK-LABEL: func.func @trusting
// CHECK-DAG:     %[[SCALE:.*]] = arith.constant 1.250000e-01 : f32
// CHECK-DAG:     %[[LOG2E:.*]] = arith.constant 1.44269502 : f32
// CHECK:         ^bb0(%[[S:[a-z0-9]+]]: f32):
// CHECK-NEXT:      %[[SCALED:.*]] = arith.mulf %[[S]], %[[SCALE]] : f32
// CHECK-NEXT:      %[[TANH:.*]] = math.tanh %[[SCALED]]
// CHECK-NEXT:      linalg.yield %[[TANH]]
// CHECK:           math.fma %{{.*}}, %[[LOG2E]], %{{.*}} : f32
// CHECK-NEXT:      math.exp2
// CHECK:           %[[SIZE:.*]] = arith.mulf %{{.*}}, %[[LOG2E]] : f32
// CHECK:           arith.cmpf ogt, %{{.*}}, %cst{{.*}} : f32
func.func @trusting(%q: tensor<32x16xf16>, %k: tensor<16x16xf16>, %v: tensor<16x16xf16>,
                    %row: index, %key: index, %b: index, %h: index) -> i1 {
  %s = sparse_attn.initial_state : !sparse_attn.state<32x16xf16, trusting>
  %r = sparse_attn.step %s ins(%q, %k, %v : tensor<32x16xf16>, tensor<16x16xf16>, tensor<16x16xf16>)
      at(%row, %key) keys(16) scale(0.125) score(%b, %h) {
      ^bb0(%x: f32, %batch: index, %head: index, %i: i32, %j: i32):
        %tanh = math.tanh %x : f32
        sparse_attn.yield %tanh : f32
      } : !sparse_attn.state<32x16xf16, trusting>
  %t = sparse_attn.is_trusted %r rows(%row) scale(1.0) : !sparse_attn.state<32x16xf16, trusting>
  return %t : i1
}
