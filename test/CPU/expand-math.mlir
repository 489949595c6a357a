// exp and exp2 in f32 as instructions that a CPU has. What the results are
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
// CHECK:         arith.maxnumf {{.*}} : f32
func.func @others(%x: f64, %y: f32) -> (f64, f32, f32, f32) {
  %0 = math.exp2 %x fastmath<afn> : f64
  %1 = math.exp2 %y : f32
  %2 = math.exp %y : f32
  %3 = arith.maxnumf %1, %2 : f32
  return %0, %1, %2, %3 : f64, f32, f32, f32
}
