// Tiles for tensor cores. Where probabilities are rounded to 16 bits, the exponent of a
// score is one fused operation, S c - m c; in f32 it is (S - m) c, 0 for the maximum.
//
// RUN: sparse-attn-opt %s --sparse-attn-plan="tile-queries=16 tile-keys=16" \
// RUN:   --sparse-attn-visit-tiles --sparse-attn-trust-steps --sparse-attn-steps-to-tiles \
// RUN:   --canonicalize --cse | FileCheck %s

// LSE = m unit + ln l = (product + high) + (error + low of product + low), with
// l = 2^e (1 + r), high = 15 bits of ln 2 times e, and low = the rest of it, ln(1 + r)
// and what rounding took from m c.
//
// CHECK-LABEL: func.func @half
// CHECK-DAG:     %[[C:.*]] = arith.constant 0.180336878 : f32
// CHECK-DAG:     %[[UNIT:.*]] = arith.constant 1.250000e-01 : f32
// CHECK-DAG:     %[[HIGH:.*]] = arith.constant 0.693145751 : f32
// CHECK-DAG:     %[[LOW:.*]] = arith.constant 1.42860677E-6 : f32
// CHECK-DAG:     %[[LN2:.*]] = arith.constant 0.693147182 : f32
// CHECK-DAG:     %[[ROOT:.*]] = arith.constant 1060439283 : i32
// CHECK:         linalg.contract {{.*}} tensor<16x64xf16>
// CHECK:         linalg.generic {{.*}} ["parallel", "parallel"]{{.*}} outs(%{{.*}} : tensor<16x16xf32>)
// CHECK-NEXT:    ^bb0(%[[M:.*]]: f32, %[[S:.*]]: f32):
// CHECK-NEXT:      %[[MC:.*]] = arith.mulf %[[M]], %[[C]] : f32
// CHECK-NEXT:      %[[SHIFT:.*]] = arith.negf %[[MC]] : f32
// CHECK-NEXT:      %[[X:.*]] = math.fma %[[S]], %[[C]], %[[SHIFT]] : f32
// CHECK-NEXT:      math.exp2 %[[X]] fastmath<afn> : f32
// CHECK:           arith.truncf %{{.*}} : f32 to f16
// CHECK:           arith.divf
// CHECK:         ^bb0(%[[M:.*]]: f32, %[[L:.*]]: f32, %{{.*}}: f32):
// CHECK-NEXT:      %[[LIVE:.*]] = arith.cmpf ogt, %[[L]], %{{.*}} : f32
// CHECK-NEXT:      %[[BITS:.*]] = arith.bitcast %[[L]] : f32 to i32
// CHECK-NEXT:      %[[ABOVE:.*]] = arith.subi %[[BITS]], %[[ROOT]] : i32
// CHECK-NEXT:      %[[POWER:.*]] = arith.shrsi %[[ABOVE]], %c23_i32 : i32
// CHECK:           %[[E:.*]] = arith.sitofp %[[POWER]] : i32 to f32
// CHECK-COUNT-9:   math.fma
// CHECK:           %[[REST:.*]] = math.fma %[[E]], %[[LOW]], %{{.*}} : f32
// CHECK:           %[[MC:.*]] = arith.mulf %[[M]], %[[C]] : f32
// CHECK-NEXT:      %[[SHIFT:.*]] = arith.negf %[[MC]] : f32
// CHECK-NEXT:      %[[LOST:.*]] = math.fma %[[M]], %[[C]], %[[SHIFT]] : f32
// CHECK:           %[[LARGE:.*]] = arith.cmpf ogt
// CHECK:           %[[TAKEN:.*]] = arith.select %[[LARGE]], %{{.*}}, %[[LOST]] : f32
// CHECK-NEXT:      %[[NATS:.*]] = arith.mulf %[[TAKEN]], %[[LN2]] : f32
// CHECK-NEXT:      %[[SMALL:.*]] = arith.subf %[[REST]], %[[NATS]] : f32
// CHECK-NEXT:      %[[P:.*]] = arith.mulf %[[M]], %[[UNIT]] : f32
// CHECK:           %[[H:.*]] = arith.mulf %[[E]], %[[HIGH]] : f32
// CHECK-NEXT:      %[[T:.*]] = arith.addf %[[P]], %[[H]] : f32
// CHECK:           %[[BELOW:.*]] = arith.addf %{{.*}}, %[[SMALL]] : f32
// CHECK-NEXT:      %[[PRECISE:.*]] = arith.addf %[[T]], %[[BELOW]] : f32
// CHECK:           %[[FINITE:.*]] = arith.select %{{.*}}, %[[PRECISE]], %[[T]] : f32
// CHECK-NEXT:      %[[NOTHING:.*]] = arith.addf %[[M]], %[[L]] : f32
// CHECK-NEXT:      arith.select %[[LIVE]], %[[FINITE]], %[[NOTHING]] : f32
func.func @half(%q: tensor<1x1x16x64xf16>, %k: tensor<1x1x16x64xf16>, %v: tensor<1x1x16x64xf16>) -> (tensor<1x1x16x64xf16>, tensor<1x1x16xf32>) {
  %init = tensor.empty() : tensor<1x1x16x64xf16>
  %init_lse = tensor.empty() : tensor<1x1x16xf32>
  %o:2 = sparse_attn.attention mask(#sparse_attn.full)
      ins(%q, %k, %v : tensor<1x1x16x64xf16>, tensor<1x1x16x64xf16>, tensor<1x1x16x64xf16>)
      outs(%init, %init_lse : tensor<1x1x16x64xf16>, tensor<1x1x16xf32>) -> tensor<1x1x16x64xf16>, tensor<1x1x16xf32>
  return %o#0, %o#1 : tensor<1x1x16x64xf16>, tensor<1x1x16xf32>
}

// CHECK-LABEL: func.func @single
// CHECK-DAG:     %[[C:.*]] = arith.constant 0.180336878 : f32
// CHECK:         linalg.contract {{.*}} tensor<16x64xf32>
// CHECK:         ^bb0(%{{.*}}: f32, %[[BEFORE:.*]]: f32, %{{.*}}: f32):
// CHECK-NEXT:      %[[M:.*]] = arith.maxnumf
// CHECK-NEXT:      %[[D:.*]] = arith.subf %[[BEFORE]], %[[M]] : f32
// CHECK-NEXT:      %[[X:.*]] = arith.mulf %[[D]], %[[C]] : f32
// CHECK-NEXT:      math.exp2 %[[X]] fastmath<afn> : f32
// CHECK:         linalg.generic {{.*}} ["parallel", "parallel"]{{.*}} outs(%{{.*}} : tensor<16x16xf32>)
// CHECK-NEXT:    ^bb0(%[[M:.*]]: f32, %[[S:.*]]: f32):
// CHECK-NEXT:      %[[D:.*]] = arith.subf %[[S]], %[[M]] : f32
// CHECK-NEXT:      %[[X:.*]] = arith.mulf %[[D]], %[[C]] : f32
// CHECK-NEXT:      math.exp2 %[[X]] fastmath<afn> : f32
func.func @single(%q: tensor<1x1x16x64xf32>, %k: tensor<1x1x16x64xf32>, %v: tensor<1x1x16x64xf32>) -> (tensor<1x1x16x64xf32>, tensor<1x1x16xf32>) {
  %init = tensor.empty() : tensor<1x1x16x64xf32>
  %init_lse = tensor.empty() : tensor<1x1x16xf32>
  %o:2 = sparse_attn.attention mask(#sparse_attn.full)
      ins(%q, %k, %v : tensor<1x1x16x64xf32>, tensor<1x1x16x64xf32>, tensor<1x1x16x64xf32>)
      outs(%init, %init_lse : tensor<1x1x16x64xf32>, tensor<1x1x16xf32>) -> tensor<1x1x16x64xf32>, tensor<1x1x16xf32>
  return %o#0, %o#1 : tensor<1x1x16x64xf32>, tensor<1x1x16xf32>
}

// Rows that a layout names are for a later pass to copy.
//
// CHECK-LABEL: func.func @gathered
// CHECK:         %[[K:.*]] = sparse_attn.gather_rows %{{.*}} at %{{.*}} -> tensor<16x16xf16>
// CHECK:         linalg.contract {{.*}} ins(%{{.*}}, %[[K]] :
func.func @gathered(%q: tensor<1x1x32x16xf16>) -> tensor<1x1x32x16xf16> {
  %init = tensor.empty() : tensor<1x1x32x16xf16>
  %o = sparse_attn.attention mask(#sparse_attn.global<tokens = [3, 9], direction = columns>)
      plan(<tile = [16, 16], rows = [<"0" to "32", segments = [
             <partial "0" to "1" of list<[3, 9], width = 1, tile = 16> where "j < nk">]>]>)
      ins(%q, %q, %q : tensor<1x1x32x16xf16>, tensor<1x1x32x16xf16>, tensor<1x1x32x16xf16>)
      outs(%init : tensor<1x1x32x16xf16>) -> tensor<1x1x32x16xf16>
  return %o : tensor<1x1x32x16xf16>
}
