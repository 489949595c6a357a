// RUN: sparse-attn-opt %s --sparse-attn-expand-math | FileCheck %s

func.func @exp2(%x: f32) -> f32 {
  %y = math.exp2 %x fastmath<afn> : f32
  return %y : f32
}

// MAGIC is 1.5 * 2^23 + 127: the last bits of a sum with it are n + 127.
// CHECK: %[[MAGIC:.*]] = arith.constant 0x4B40007F : f32
// CHECK: %[[SUM:.*]] = arith.addf %{{.*}}, %[[MAGIC]]
// CHECK: %[[T:.*]] = arith.select %{{.*}}, %{{.*}}, %[[SUM]] : f32
// CHECK: %[[N:.*]] = arith.subf %[[T]], %[[MAGIC]]
// F is in [-1/2, 1/2], and 2^F a polynomial.
// CHECK: %[[F:.*]] = arith.subf %{{.*}}, %[[N]]
// CHECK: math.fma %{{.*}}, %[[F]], %{{.*}} : f32
// 2^N by its bits; results below 2^-126 are 0.
// CHECK: arith.shli
// CHECK: %[[POWER:.*]] = arith.bitcast %{{.*}} : i32 to f32
// CHECK: %[[PRODUCT:.*]] = arith.mulf %{{.*}}, %[[POWER]] : f32
// CHECK: arith.select %{{.*}}, %{{.*}}, %[[PRODUCT]] : f32
