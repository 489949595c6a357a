// The naive decomposition: all Sq * Sk scores of each head, in f32.
//
// RUN: sparse-attn-opt %s --sparse-attn-to-dense-linalg --canonicalize | FileCheck %s

// Every step is one linalg op over whole tensors. Query head h reads key head
// h / 2; row r stands at position r + 24.
//
// CHECK-LABEL: func.func @causal
// CHECK-SAME:    %[[Q:[a-z0-9]+]]: tensor<1x4x8x16xbf16>, %[[K:[a-z0-9]+]]: tensor<1x2x32x16xbf16>, %[[V:[a-z0-9]+]]: tensor<1x2x32x24xbf16>, %[[INIT:[a-z0-9]+]]: tensor<1x4x8x24xbf16>, %[[LINIT:[a-z0-9]+]]: tensor<1x4x8xf32>
// CHECK-DAG:     %[[MINF:.*]] = arith.constant 0xFF800000 : f32
// CHECK-DAG:     %[[SCALE:.*]] = arith.constant 2.500000e-01 : f32
// CHECK-DAG:     %[[ZERO:.*]] = arith.constant 0.000000e+00 : f32
// CHECK-DAG:     %[[C24:.*]] = arith.constant 24 : index
// S = scale * Q K^T
// CHECK:         %[[DOT:.*]] = linalg.generic {{.*}} ins(%[[Q]] : {{.*}}) outs(%{{.*}} : tensor<1x4x8x32xf32>)
// CHECK:           %[[H:.*]] = linalg.index 1
// CHECK:           %[[H32:.*]] = arith.index_castui %[[H]] : index to i32
// CHECK:           %[[HK32:.*]] = arith.divui %[[H32]], %c2_i32
// CHECK:           %[[HK:.*]] = arith.index_castui %[[HK32]]
// CHECK:           tensor.extract %[[K]][%c0, %[[HK]],
// CHECK:           arith.extf
// CHECK:           arith.extf
// CHECK:         linalg.generic {{.*}} outs(%[[DOT]] :
// CHECK:           arith.mulf %{{.*}}, %[[SCALE]]
// The mask: position of the query against position of the key.
// CHECK:         %[[S:.*]] = linalg.generic
// CHECK:           %[[R:.*]] = linalg.index 2
// CHECK:           %[[I:.*]] = arith.addi %[[R]], %[[C24]]
// CHECK:           %[[I32:.*]] = arith.index_cast %[[I]] : index to i32
// CHECK:           %[[J:.*]] = linalg.index 3
// CHECK:           %[[J32:.*]] = arith.index_cast %[[J]] : index to i32
// CHECK:           %[[END:.*]] = arith.addi %[[I32]], %c1_i32
// CHECK:           %[[LIVE:.*]] = arith.cmpi slt, %[[J32]], %[[END]]
// CHECK:           arith.select %[[LIVE]], %{{.*}}, %[[MINF]]
// m = max S, and 0 for a row without keys, lest -inf - -inf be a NaN.
// CHECK:         linalg.generic {{.*}} ins(%[[S]] :
// CHECK:           arith.maxnumf
// CHECK:         %[[M:.*]] = linalg.generic
// CHECK:           %[[NONE:.*]] = arith.cmpf oeq, %{{.*}}, %[[MINF]]
// CHECK:           arith.select %[[NONE]], %[[ZERO]],
// P = exp(S - m), l = sum P
// CHECK:         %[[P:.*]] = linalg.generic {{.*}} ins(%[[M]] : {{.*}}) outs(%[[S]] :
// CHECK:           arith.subf
// CHECK:           math.exp
// CHECK:         %[[L:.*]] = linalg.generic {{.*}} ins(%[[P]] :
// CHECK:           arith.addf
// W = P / l, and 0 for a row without keys: the mean of values near the largest
// f32 is one, where their sum is none.
// CHECK:         %[[W:.*]] = linalg.generic {{.*}} ins(%[[L]] : {{.*}}) outs(%[[P]] :
// CHECK:           arith.divf
// CHECK:           arith.select %{{.*}}, %[[ZERO]],
// W V, without the values of masked keys, whatever they hold.
// CHECK:         %[[A:.*]] = linalg.generic {{.*}} ins(%[[W]] :
// CHECK:           tensor.extract %[[V]]
// CHECK:           arith.select
// CHECK:         %[[O:.*]] = linalg.generic {{.*}} ins(%[[A]] : {{.*}}) outs(%[[INIT]] :
// CHECK:           arith.truncf %{{.*}} : f32 to bf16
// LSE = m + log l
// CHECK:         %[[LSE:.*]] = linalg.generic {{.*}} ins(%[[M]], %[[L]] : {{.*}}) outs(%[[LINIT]] :
// CHECK:           math.log
// CHECK:           arith.select %{{.*}}, %[[MINF]],
// CHECK:         return %[[O]], %[[LSE]]
func.func @causal(%q: tensor<1x4x8x16xbf16>, %k: tensor<1x2x32x16xbf16>, %v: tensor<1x2x32x24xbf16>,
                  %init: tensor<1x4x8x24xbf16>, %lse: tensor<1x4x8xf32>)
    -> (tensor<1x4x8x24xbf16>, tensor<1x4x8xf32>) {
  %o:2 = sparse_attn.attention mask(#sparse_attn.causal)
      ins(%q, %k, %v : tensor<1x4x8x16xbf16>, tensor<1x2x32x16xbf16>, tensor<1x2x32x24xbf16>)
      outs(%init, %lse : tensor<1x4x8x24xbf16>, tensor<1x4x8xf32>)
      -> tensor<1x4x8x24xbf16>, tensor<1x4x8xf32>
  return %o#0, %o#1 : tensor<1x4x8x24xbf16>, tensor<1x4x8xf32>
}

// A soft cap comes behind the scale, which takes the division by the cap, and
// before the mask.
//
// CHECK-LABEL: func.func @softcap
// CHECK-DAG:     %[[CAP:.*]] = arith.constant 5.000000e+00 : f32
// CHECK-DAG:     %[[PART:.*]] = arith.constant 5.000000e-02 : f32
// CHECK:         linalg.generic
// CHECK:           arith.addf
// CHECK:         linalg.generic
// CHECK:           %[[X:.*]] = arith.mulf %{{.*}}, %[[PART]] : f32
// CHECK-NEXT:      %[[TANH:.*]] = math.tanh %[[X]] : f32
// CHECK-NEXT:      arith.mulf %[[TANH]], %[[CAP]] : f32
// CHECK:         linalg.generic
// CHECK:           arith.select
func.func @softcap(%q: tensor<1x1x8x16xf32>, %init: tensor<1x1x8x16xf32>) -> tensor<1x1x8x16xf32> {
  %o = sparse_attn.attention mask(#sparse_attn.causal) softcap(5.0)
      ins(%q, %q, %q : tensor<1x1x8x16xf32>, tensor<1x1x8x16xf32>, tensor<1x1x8x16xf32>)
      outs(%init : tensor<1x1x8x16xf32>) -> tensor<1x1x8x16xf32>
  return %o : tensor<1x1x8x16xf32>
}

// Dynamic sizes come from the operands; an origin replaces Sk - Sq. The plan,
// if there is one, plays no part.
//
// CHECK-LABEL: func.func @dynamic_origin
// CHECK-SAME:    %{{[a-z0-9]+}}: index, %[[POSITION:[a-z0-9]+]]: index
// CHECK:         arith.addi %{{.*}}, %[[POSITION]] : index
// CHECK:         arith.cmpi slt
// CHECK-NOT:     scf.
// CHECK:         return
func.func @dynamic_origin(%head: index, %position: index, %q: tensor<?x?x?x16xf32>,
                          %k: tensor<?x?x?x16xf32>, %init: tensor<?x?x?x16xf32>) -> tensor<?x?x?x16xf32> {
  %o = sparse_attn.attention mask(#sparse_attn.causal)
      plan(<tile = [16, 16], rows = [<"0" to "nq", segments = [<partial "0" to "4">]>]>)
      ins(%q, %k, %k : tensor<?x?x?x16xf32>, tensor<?x?x?x16xf32>, tensor<?x?x?x16xf32>)
      origin(%head, %position)
      outs(%init : tensor<?x?x?x16xf32>) -> tensor<?x?x?x16xf32>
  return %o : tensor<?x?x?x16xf32>
}

// Random blocks are drawn once into a table [heads, row blocks, blocks a row];
// the mask looks its row block up, here twice, for two blocks a row.
//
// CHECK-LABEL: func.func @random
// CHECK:         tensor.empty() : tensor<4x8x2xi32>
// CHECK:         %[[TABLE:.*]] = scf.forall ({{.*}}) in (4, 8)
// CHECK-COUNT-2:   tensor.insert {{.*}} : tensor<2xi32>
// CHECK:         linalg.generic
// CHECK:           arith.mulf
// CHECK-COUNT-2:   tensor.extract %[[TABLE]]
// CHECK:           arith.select
func.func @random(%q: tensor<1x4x64x16xf32>) -> tensor<1x4x64x16xf32> {
  %init = tensor.empty() : tensor<1x4x64x16xf32>
  %o = sparse_attn.attention mask(#sparse_attn.random<block = 8, blocks_per_row = 2, seed = 7>)
      ins(%q, %q, %q : tensor<1x4x64x16xf32>, tensor<1x4x64x16xf32>, tensor<1x4x64x16xf32>)
      outs(%init : tensor<1x4x64x16xf32>) -> tensor<1x4x64x16xf32>
  return %o : tensor<1x4x64x16xf32>
}
