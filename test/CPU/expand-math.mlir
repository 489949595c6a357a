// exp, exp2 and tanh in f32 as instructions that a CPU has. What the results are
// worth is measured by the kernels that run: here is only their shape.
//
// RUN: sparse-attn-opt %s --sparse-attn-expand-math | FileCheck %s

// 2^x = 2^n 2^f, n the nearest integer, found by adding a number whose last bit
// is worth 1: a polynomial of degree 6 for 2^f, the exponent's bits for 2^n;
// zero below the normal range, so at -inf.
//
// CHECK-LABEL: func.func @exp2
// CHECK-SAME:    %[[X:.*]]: vector<16xf32>
// CHECK-DAG:     %[[MAGIC:.*]] = arith.constant dense<0x4B40007F> : vector<16xf32>
// CHECK-DAG:     %[[LIMIT:.*]] = arith.constant dense<-1.260000e+02> : vector<16xf32>
// CHECK:         %[[SUM:.*]] = arith.addf %[[X]], %[[MAGIC]]
// CHECK:         %[[T:.*]] = arith.select %{{.*}}, %{{.*}}, %[[SUM]]
// CHECK:         %[[N:.*]] = arith.subf %[[T]], %[[MAGIC]]
// CHECK:         %[[F:.*]] = arith.subf %[[X]], %[[N]]
// CHECK-COUNT-6: math.fma %{{.*}}, %[[F]],
// CHECK-NOT:     math.fma
// CHECK:         %[[LOW:.*]] = arith.bitcast %[[T]] : vector<16xf32> to vector<16xi32>
// CHECK:         %[[BITS:.*]] = arith.shli %[[LOW]]
// CHECK:         %[[POWER:.*]] = arith.bitcast %[[BITS]] : vector<16xi32> to vector<16xf32>
// CHECK:         %[[PRODUCT:.*]] = arith.mulf %{{.*}}, %[[POWER]]
// CHECK:         %[[SMALL:.*]] = arith.cmpf olt, %[[X]], %[[LIMIT]]
// CHECK:         arith.select %[[SMALL]], %{{.*}}, %[[PRODUCT]]
// CHECK-NOT:     math.exp2
func.func @exp2(%x: vector<16xf32>) -> vector<16xf32> {
  %y = math.exp2 %x fastmath<afn> : vector<16xf32>
  return %y : vector<16xf32>
}

// e^x = 2^(c x), c = log2(e) in two parts, which an exact product takes.
//
// CHECK-LABEL: func.func @exp
// CHECK-SAME:    %[[X:.*]]: f32
// CHECK-DAG:     %[[HI:.*]] = arith.constant 1.44269502 : f32
// CHECK-DAG:     %[[LO:.*]] = arith.constant 1.92596303E-8 : f32
// CHECK:         math.fma %[[X]], %[[HI]],
// CHECK:         %[[MINUS_N:.*]] = arith.negf
// CHECK:         %[[F0:.*]] = math.fma %[[X]], %[[HI]], %[[MINUS_N]]
// CHECK:         %[[F:.*]] = math.fma %[[X]], %[[LO]], %[[F0]]
// CHECK-COUNT-6: math.fma %{{.*}}, %[[F]],
func.func @exp(%x: f32) -> f32 {
  %y = math.exp %x fastmath<afn> : f32
  return %y : f32
}

// An f32 number as c is one part: an infinite x times 0 would be NaN.
//
// CHECK-LABEL: func.func @one_part
// CHECK-SAME:    %[[X:.*]]: f32
// CHECK:         %[[C:.*]] = arith.constant 3.000000e+00 : f32
// CHECK:         math.fma %[[X]], %[[C]],
// CHECK:         %[[MINUS_N:.*]] = arith.negf
// CHECK:         %[[F:.*]] = math.fma %[[X]], %[[C]], %[[MINUS_N]]
// CHECK-COUNT-6: math.fma %{{.*}}, %[[F]],
func.func @one_part(%x: f32) -> f32 {
  %three = arith.constant 3.0 : f32
  %d = arith.mulf %x, %three fastmath<contract> : f32
  %y = math.exp2 %d fastmath<afn> : f32
  return %y : f32
}

// tanh x = x + x^3 p(x^2) below 0.625, else 1 - 2 / (1 + 2^(2 log2(e) x)), where
// the power takes the factor.
//
// CHECK-LABEL: func.func @tanh
// CHECK-SAME:    %[[X:.*]]: vector<8xf32>
// CHECK-DAG:     %[[LIMIT:.*]] = arith.constant dense<3.906250e-01> : vector<8xf32>
// CHECK-DAG:     %[[FACTOR:.*]] = arith.constant dense<2.885390e+00> : vector<8xf32>
// CHECK:         %[[SQUARE:.*]] = arith.mulf %[[X]], %[[X]]
// CHECK-COUNT-4: math.fma %{{.*}}, %[[SQUARE]], %{{.*}}
// CHECK:         %[[CUBE:.*]] = arith.mulf %[[X]], %[[SQUARE]]
// CHECK:         %[[NEAR:.*]] = math.fma %[[CUBE]], %{{.*}}, %[[X]]
// CHECK:         math.fma %[[X]], %[[FACTOR]],
// CHECK-NOT:     math.exp2
// CHECK:         arith.divf
// CHECK:         %[[FAR:.*]] = math.fma
// CHECK:         %[[IS_NEAR:.*]] = arith.cmpf olt, %[[SQUARE]], %[[LIMIT]]
// CHECK:         %[[TANH:.*]] = arith.select %[[IS_NEAR]], %[[NEAR]], %[[FAR]]
// CHECK:         return %[[TANH]]
func.func @tanh(%x: vector<8xf32>) -> vector<8xf32> {
  %y = math.tanh %x fastmath<afn> : vector<8xf32>
  return %y : vector<8xf32>
}

// A constant factor that need not be rounded joins c: here c = 2 log2(e).
//
// CHECK-LABEL: func.func @factor
// CHECK-SAME:    %[[X:.*]]: f32
// CHECK:         %[[HI:.*]] = arith.constant 2.885390e+00 : f32
// CHECK:         math.fma %[[X]], %[[HI]],
func.func @factor(%x: f32) -> f32 {
  %two = arith.constant 2.0 : f32
  %d = arith.mulf %x, %two fastmath<contract> : f32
  %y = math.exp %d fastmath<afn> : f32
  return %y : f32
}

// One that must be rounded does not; nor does one that is negative or far out,
// with which the limits would be wrong.
//
// CHECK-LABEL: func.func @other_factors
// CHECK:         arith.mulf %{{.*}}, %{{.*}} : f32
// CHECK:         arith.mulf %{{.*}}, %{{.*}} fastmath<contract> : f32
// CHECK:         arith.mulf %{{.*}}, %{{.*}} fastmath<contract> : f32
func.func @other_factors(%x: f32, %y: f32, %z: f32) -> (f32, f32, f32) {
  %two = arith.constant 2.0 : f32
  %negative = arith.constant -2.0 : f32
  %large = arith.constant 1.0e30 : f32
  %a = arith.mulf %x, %two : f32
  %b = arith.mulf %y, %negative fastmath<contract> : f32
  %c = arith.mulf %z, %large fastmath<contract> : f32
  %0 = math.exp %a fastmath<afn> : f32
  %1 = math.exp %b fastmath<afn> : f32
  %2 = math.exp %c fastmath<afn> : f32
  return %0, %1, %2 : f32, f32, f32
}

// Other element types stay, and so does what asks for no approximation, and
// every maximum.
//
// CHECK-LABEL: func.func @others
// CHECK:         math.exp2 {{.*}} : f64
// CHECK:         math.exp2 {{.*}} : f32
// CHECK:         math.exp {{.*}} : f32
// CHECK:         math.tanh {{.*}} : f32
// CHECK:         arith.maxnumf {{.*}} : f32
func.func @others(%x: f64, %y: f32) -> (f64, f32, f32, f32, f32) {
  %0 = math.exp2 %x fastmath<afn> : f64
  %1 = math.exp2 %y : f32
  %2 = math.exp %y : f32
  %3 = math.tanh %y : f32
  %4 = arith.maxnumf %1, %2 : f32
  return %0, %1, %2, %3, %4 : f64, f32, f32, f32, f32
}
