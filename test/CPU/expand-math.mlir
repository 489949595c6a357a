// exp2 and max in f32 as instructions that a CPU has. What the results are
// worth is measured by the kernels that run: here is only their shape.
//
// RUN: sparse-attn-opt %s --sparse-attn-expand-math | FileCheck %s

// 2^x = 2^n 2^f, n the nearest integer: a polynomial of degree 6 for 2^f, the
// exponent's bits for 2^n; zero below the normal range, so at -inf.
//
// CHECK-LABEL: func.func @exp2
// CHECK-SAME:    %[[X:.*]]: vector<16xf32>
// CHECK:         %[[N:.*]] = math.roundeven %[[X]]
// CHECK:         %[[F:.*]] = arith.subf %[[X]], %[[N]]
// CHECK-COUNT-6: math.fma %{{.*}}, %[[F]],
// CHECK-NOT:     math.fma
// CHECK:         arith.fptosi
// CHECK:         %[[BITS:.*]] = arith.shli %{{.*}} : vector<16xi32>
// CHECK:         %[[POWER:.*]] = arith.bitcast %[[BITS]] : vector<16xi32> to vector<16xf32>
// CHECK:         %[[PRODUCT:.*]] = arith.mulf %{{.*}}, %[[POWER]]
// CHECK:         %[[SMALL:.*]] = arith.cmpf olt, %[[X]],
// CHECK:         arith.select %[[SMALL]], %{{.*}}, %[[PRODUCT]]
// CHECK-NOT:     math.exp2
func.func @exp2(%x: vector<16xf32>) -> vector<16xf32> {
  %y = math.exp2 %x : vector<16xf32>
  return %y : vector<16xf32>
}

// One compare and one select, where the IEEE maximum costs four instructions.
// The second value (the running maximum) stays unless the first (a score) is
// greater: a NaN score leaves it.
//
// CHECK-LABEL: func.func @max
// CHECK-SAME:    %[[X:.*]]: f32, %[[Y:.*]]: f32
// CHECK:         %[[GREATER:.*]] = arith.cmpf ogt, %[[X]], %[[Y]]
// CHECK:         arith.select %[[GREATER]], %[[X]], %[[Y]]
func.func @max(%x: f32, %y: f32) -> f32 {
  %z = arith.maxnumf %x, %y : f32
  return %z : f32
}

// Other element types stay.
//
// CHECK-LABEL: func.func @not_f32
// CHECK:         arith.maxnumf {{.*}} : f64
// CHECK:         math.exp2 {{.*}} : f64
func.func @not_f32(%x: f64, %y: f64) -> f64 {
  %z = arith.maxnumf %x, %y : f64
  %w = math.exp2 %z : f64
  return %w : f64
}
