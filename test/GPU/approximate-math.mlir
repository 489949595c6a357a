// Exponentials and logarithms of f32 become one instruction an element, or two, and tanh
// a few.
//
// RUN: sparse-attn-opt %s --sparse-attn-approximate-math | FileCheck %s

gpu.module @kernels {
  // CHECK-LABEL: func.func @exponential
  // CHECK:         %[[X:.*]]:2 = vector.to_elements %{{.*}} : vector<2xf32>
  // CHECK:         %[[A:.*]] = llvm.call_intrinsic "llvm.nvvm.ex2.approx.ftz.f"(%[[X]]#0)
  // CHECK:         %[[B:.*]] = llvm.call_intrinsic "llvm.nvvm.ex2.approx.ftz.f"(%[[X]]#1)
  // CHECK:         %[[P:.*]] = vector.from_elements %[[A]], %[[B]]
  // CHECK:         return %[[P]]
  func.func @exponential(%s: vector<2xf32>) -> vector<2xf32> {
    %p = math.exp2 %s : vector<2xf32>
    return %p : vector<2xf32>
  }

  // ln x = log2 x * ln 2, with the factor rounded to f32.
  //
  // CHECK-LABEL: func.func @logarithms
  // CHECK:         %[[L2:.*]] = llvm.call_intrinsic "llvm.nvvm.lg2.approx.ftz.f"
  // CHECK:         %[[L:.*]] = llvm.call_intrinsic "llvm.nvvm.lg2.approx.ftz.f"
  // CHECK:         %[[LN2:.*]] = arith.constant 0.693147182 : f32
  // CHECK:         %[[LN:.*]] = arith.mulf %[[L]], %[[LN2]]
  // CHECK:         return %[[L2]], %[[LN]]
  func.func @logarithms(%x: f32) -> (f32, f32) {
    %log2 = math.log2 %x : f32
    %log = math.log %x : f32
    return %log2, %log : f32, f32
  }

  // tanh x = x + x^3 p(x^2) below 0.625, else 1 - 2 / (1 + 2^(2 log2(e) x)).
  //
  // CHECK-LABEL: func.func @tanh
  // CHECK-SAME:    %[[X:[a-z0-9]+]]: vector<2xf32>
  // CHECK:         %[[SQUARE:.*]] = arith.mulf %[[X]], %[[X]]
  // CHECK-COUNT-4: math.fma %{{.*}}, %[[SQUARE]], %{{.*}}
  // CHECK:         %[[CUBE:.*]] = arith.mulf %[[X]], %[[SQUARE]]
  // CHECK:         %[[NEAR:.*]] = math.fma %[[CUBE]], %{{.*}}, %[[X]]
  // CHECK:         %[[FACTOR:.*]] = arith.constant dense<2.885390e+00> : vector<2xf32>
  // CHECK:         arith.mulf %[[X]], %[[FACTOR]]
  // CHECK-COUNT-2: llvm.call_intrinsic "llvm.nvvm.ex2.approx.ftz.f"
  // CHECK:         arith.divf %{{.*}} fastmath<afn>
  // CHECK:         %[[FAR:.*]] = math.fma
  // CHECK:         %[[LIMIT:.*]] = arith.constant dense<3.906250e-01> : vector<2xf32>
  // CHECK:         %[[IS_NEAR:.*]] = arith.cmpf olt, %[[SQUARE]], %[[LIMIT]]
  // CHECK:         %[[TANH:.*]] = arith.select %[[IS_NEAR]], %[[NEAR]], %[[FAR]]
  // CHECK:         return %[[TANH]]
  func.func @tanh(%x: vector<2xf32>) -> vector<2xf32> {
    %t = math.tanh %x : vector<2xf32>
    return %t : vector<2xf32>
  }

  // e^x = 2^(x log2 e), with the factor rounded to f32.
  //
  // CHECK-LABEL: func.func @natural
  // CHECK:         %[[LOG2E:.*]] = arith.constant 1.44269502 : f32
  // CHECK:         %[[X:.*]] = arith.mulf %{{.*}}, %[[LOG2E]]
  // CHECK:         %[[P:.*]] = llvm.call_intrinsic "llvm.nvvm.ex2.approx.ftz.f"(%[[X]])
  // CHECK:         return %[[P]]
  func.func @natural(%x: f32) -> f32 {
    %p = math.exp %x : f32
    return %p : f32
  }

  // CHECK-LABEL: func.func @magnitude
  // CHECK:         %[[BITS:.*]] = arith.bitcast %{{.*}} : vector<2xf32> to vector<2xi32>
  // CHECK:         %[[MASK:.*]] = arith.constant dense<2147483647> : vector<2xi32>
  // CHECK:         %[[CLEARED:.*]] = arith.andi %[[BITS]], %[[MASK]]
  // CHECK:         %[[SIZE:.*]] = arith.bitcast %[[CLEARED]] : vector<2xi32> to vector<2xf32>
  // CHECK:         return %[[SIZE]]
  func.func @magnitude(%x: vector<2xf32>) -> vector<2xf32> {
    %size = math.absf %x : vector<2xf32>
    return %size : vector<2xf32>
  }

  // One instruction as it is, and operations of integers.
  //
  // CHECK-LABEL: func.func @others
  // CHECK:         math.fma
  // CHECK:         math.absi
  func.func @others(%x: f32, %n: i32) -> (f32, i32) {
    %y = math.fma %x, %x, %x : f32
    %m = math.absi %n : i32
    return %y, %m : f32, i32
  }
}
