// Tiles of few rows: products and reductions whose lanes run along the keys, or the
// columns.
//
// RUN: sparse-attn-opt %s --sparse-attn-tile-registers --canonicalize --cse | FileCheck %s
// RUN: sparse-attn-opt %s --sparse-attn-tile-registers="lanes=8 registers=16" --canonicalize --cse | FileCheck %s --check-prefix=AVX2

#mk = affine_map<(m, n, k) -> (m, k)>
#kn = affine_map<(m, n, k) -> (k, n)>
#nk = affine_map<(m, n, k) -> (n, k)>
#mn = affine_map<(m, n, k) -> (m, n)>
#id = affine_map<(d0, d1) -> (d0, d1)>
#row = affine_map<(d0, d1) -> (d0)>
#contraction = ["parallel", "parallel", "reduction"]

// S = Q K^T of 4 rows: 4 keys at a time, 16 sums along 16 elements of the head. The
// lanes of all are added up together in 15 steps, to one vector of 16 scores.
//
// CHECK-LABEL: func.func @scores
// CHECK-SAME:    %[[Q:[a-z0-9]+]]: tensor<4x128xf32>, %[[K:[a-z0-9]+]]: tensor<64x128xf32>
// CHECK-DAG:     %[[ZERO:.*]] = arith.constant dense<0.000000e+00> : vector<16xf32>
// CHECK-NOT:     linalg.
// CHECK:         scf.for %[[N:[a-z0-9]+]] = %c0 to %c64 step %c4
// CHECK:           %[[SUMS:.*]]:16 = scf.for %[[D:[a-z0-9]+]] = %c0 to %c128 step %c16 iter_args(%[[S0:[a-z0-9]+]] = %[[ZERO]]
// CHECK:             %[[K0:.*]] = vector.transfer_read %[[K]][%[[N]], %[[D]]]
// CHECK:             %[[Q0:.*]] = vector.transfer_read %[[Q]][%c0, %[[D]]]
// CHECK:             vector.fma %[[Q0]], %[[K0]], %[[S0]]
// CHECK-COUNT-15:    vector.fma
// CHECK-NOT:         vector.fma
// CHECK:           %[[LOW:.*]] = vector.shuffle %[[SUMS]]#0, %[[SUMS]]#1 [0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23]
// CHECK:           %[[HIGH:.*]] = vector.shuffle %[[SUMS]]#0, %[[SUMS]]#1 [8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27, 28, 29, 30, 31]
// CHECK:           arith.addf %[[LOW]], %[[HIGH]]
// CHECK-COUNT-14:  arith.addf
// CHECK-NOT:       arith.addf
// CHECK:           %[[ROW1:.*]] = vector.extract_strided_slice %{{.*}} {offsets = [4], sizes = [4], strides = [1]}
// CHECK:           vector.transfer_write %[[ROW1]], %{{.*}}[%c1, %[[N]]]
// AVX2-LABEL:  func.func @scores
// AVX2:          scf.for %{{.*}} = %c0 to %c64 step %c2
// AVX2:            scf.for {{.*}} step %c8
// AVX2-COUNT-8:      vector.fma {{.*}} : vector<8xf32>
// AVX2:              scf.yield
func.func @scores(%q: tensor<4x128xf32>, %k: tensor<64x128xf32>) -> tensor<4x64xf32> {
  %zero = arith.constant 0.0 : f32
  %empty = tensor.empty() : tensor<4x64xf32>
  %init = linalg.fill ins(%zero : f32) outs(%empty : tensor<4x64xf32>) -> tensor<4x64xf32>
  %s = linalg.generic {indexing_maps = [#mk, #nk, #mn], iterator_types = #contraction}
      ins(%q, %k : tensor<4x128xf32>, tensor<64x128xf32>) outs(%init : tensor<4x64xf32>) {
  ^bb0(%a: f32, %b: f32, %c: f32):
    %product = arith.mulf %a, %b : f32
    %sum = arith.addf %c, %product fastmath<reassoc> : f32
    linalg.yield %sum : f32
  } -> tensor<4x64xf32>
  return %s : tensor<4x64xf32>
}

// Heads of 40 elements have vectors of 8, of which a block of 3 rows has 12 sums: a
// vector takes two rows of four, the next one the third. What C has is added.
//
// CHECK-LABEL: func.func @short_head
// CHECK-SAME:    %[[C:[a-z0-9]+]]: tensor<3x16xf32>)
// CHECK:         scf.for %[[N:[a-z0-9]+]] = %c0 to %c16 step %c4 iter_args(%[[OUT:[a-z0-9]+]] = %[[C]])
// CHECK:           scf.for {{.*}} = %c0 to %c40 step %c8
// CHECK-COUNT-12:    vector.fma {{.*}} : vector<8xf32>
// CHECK:           %[[PART:.*]] = vector.extract_strided_slice %{{.*}} {offsets = [0], sizes = [4], strides = [1]}
// CHECK:           %[[OLD:.*]] = vector.transfer_read %[[OUT]][%c0, %[[N]]]
// CHECK:           arith.addf %[[OLD]], %[[PART]]
// CHECK:           vector.transfer_write %{{.*}}[%c0, %[[N]]]
// CHECK:           vector.transfer_write %{{.*}}[%c1, %[[N]]]
// CHECK:           vector.transfer_write %{{.*}}[%c2, %[[N]]]
func.func @short_head(%q: tensor<3x40xf32>, %k: tensor<16x40xf32>, %c: tensor<3x16xf32>) -> tensor<3x16xf32> {
  %s = linalg.generic {indexing_maps = [#mk, #nk, #mn], iterator_types = #contraction}
      ins(%q, %k : tensor<3x40xf32>, tensor<16x40xf32>) outs(%c : tensor<3x16xf32>) {
  ^bb0(%a: f32, %b: f32, %old: f32):
    %product = arith.mulf %a, %b : f32
    %sum = arith.addf %old, %product fastmath<reassoc> : f32
    linalg.yield %sum : f32
  } -> tensor<3x16xf32>
  return %s : tensor<3x16xf32>
}

// A sum whose order is given stays as it is.
//
// CHECK-LABEL: func.func @in_order
// CHECK-NOT:     vector.shuffle
// CHECK:         return
func.func @in_order(%q: tensor<4x16xf32>, %k: tensor<8x16xf32>, %c: tensor<4x8xf32>) -> tensor<4x8xf32> {
  %s = linalg.generic {indexing_maps = [#mk, #nk, #mn], iterator_types = #contraction}
      ins(%q, %k : tensor<4x16xf32>, tensor<8x16xf32>) outs(%c : tensor<4x8xf32>) {
  ^bb0(%a: f32, %b: f32, %old: f32):
    %product = arith.mulf %a, %b : f32
    %sum = arith.addf %old, %product : f32
    linalg.yield %sum : f32
  } -> tensor<4x8xf32>
  return %s : tensor<4x8xf32>
}

// A' = alpha A + P V, where alpha is of a row: it is in all lanes.
//
// CHECK-LABEL: func.func @rescaled
// CHECK-SAME:    %[[P:[a-z0-9]+]]: tensor<4x64xf32>, %[[V:[a-z0-9]+]]: tensor<64x32xf32>, %[[ALPHA:[a-z0-9]+]]: tensor<4xf32>, %[[A:[a-z0-9]+]]: tensor<4x32xf32>
// CHECK-NOT:     linalg.
// CHECK:         scf.for
// CHECK:           vector.fma
// CHECK:         %[[X:.*]] = tensor.extract %[[ALPHA]][%c0]
// CHECK:         %[[XS:.*]] = vector.broadcast %[[X]] : f32 to vector<16xf32>
// CHECK:         math.fma %[[XS]]
func.func @rescaled(%p: tensor<4x64xf32>, %v: tensor<64x32xf32>, %alpha: tensor<4xf32>, %a: tensor<4x32xf32>) -> tensor<4x32xf32> {
  %zero = arith.constant 0.0 : f32
  %empty = tensor.empty() : tensor<4x32xf32>
  %init = linalg.fill ins(%zero : f32) outs(%empty : tensor<4x32xf32>) -> tensor<4x32xf32>
  %pv = linalg.generic {indexing_maps = [#mk, #kn, #mn], iterator_types = #contraction}
      ins(%p, %v : tensor<4x64xf32>, tensor<64x32xf32>) outs(%init : tensor<4x32xf32>) {
  ^bb0(%x: f32, %y: f32, %z: f32):
    %product = arith.mulf %x, %y : f32
    %sum = arith.addf %z, %product fastmath<reassoc> : f32
    linalg.yield %sum : f32
  } -> tensor<4x32xf32>
  %r = linalg.generic {indexing_maps = [#row, #id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%alpha, %pv : tensor<4xf32>, tensor<4x32xf32>) outs(%a : tensor<4x32xf32>) {
  ^bb0(%x: f32, %y: f32, %z: f32):
    %sum = math.fma %x, %z, %y : f32
    linalg.yield %sum : f32
  } -> tensor<4x32xf32>
  return %r : tensor<4x32xf32>
}

// Maximum and sum of a row, by its vectors first.
//
// CHECK-LABEL: func.func @reductions
// CHECK-SAME:    %[[X:[a-z0-9]+]]: tensor<4x64xf32>, %[[M:[a-z0-9]+]]: tensor<4xf32>
// CHECK-DAG:     %[[NEUTRAL:.*]] = arith.constant dense<0xFF800000> : vector<16xf32>
// CHECK-NOT:     linalg.
// CHECK:         scf.for %[[R:[a-z0-9]+]] = %c0 to %c4 step %c1 iter_args(%[[OUT:[a-z0-9]+]] = %[[M]])
// CHECK:           %[[LANES:.*]] = scf.for %[[C:[a-z0-9]+]] = %c0 to %c64 step %c16 iter_args(%[[MAX:[a-z0-9]+]] = %[[NEUTRAL]])
// CHECK:             %[[SOME:.*]] = vector.transfer_read %[[X]][%[[R]], %[[C]]]
// CHECK:             %[[GREATER:.*]] = arith.cmpf ogt, %[[SOME]], %[[MAX]]
// CHECK:             arith.select %[[GREATER]], %[[SOME]], %[[MAX]]
// CHECK:           %[[OLD:.*]] = tensor.extract %[[OUT]][%[[R]]]
// CHECK:           %[[NEW:.*]] = vector.reduction <maxnumf>, %[[LANES]], %[[OLD]]
// CHECK:           tensor.insert %[[NEW]] into %[[OUT]][%[[R]]]
// CHECK:         vector.reduction <add>, %{{.*}}, %{{.*}} fastmath<reassoc>
func.func @reductions(%x: tensor<4x64xf32>, %m: tensor<4xf32>, %l: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>) {
  %max = linalg.generic {indexing_maps = [#id, #row], iterator_types = ["parallel", "reduction"]}
      ins(%x : tensor<4x64xf32>) outs(%m : tensor<4xf32>) {
  ^bb0(%a: f32, %b: f32):
    %c = arith.maxnumf %a, %b : f32
    linalg.yield %c : f32
  } -> tensor<4xf32>
  %sum = linalg.generic {indexing_maps = [#id, #row], iterator_types = ["parallel", "reduction"]}
      ins(%x : tensor<4x64xf32>) outs(%l : tensor<4xf32>) {
  ^bb0(%a: f32, %b: f32):
    %c = arith.addf %b, %a fastmath<reassoc> : f32
    linalg.yield %c : f32
  } -> tensor<4xf32>
  return %max, %sum : tensor<4xf32>, tensor<4xf32>
}
