// linalg on tiles becomes loops over vector registers, values in loops' results
// rather than in memory.
//
// RUN: sparse-attn-opt %s --sparse-attn-tile-registers --canonicalize --cse | FileCheck %s
// RUN: sparse-attn-opt %s --sparse-attn-tile-registers="lanes=8 registers=16" --canonicalize --cse \
// RUN:   | FileCheck %s --check-prefix=AVX2

#mk = affine_map<(m, n, k) -> (m, k)>
#km = affine_map<(m, n, k) -> (k, m)>
#kn = affine_map<(m, n, k) -> (k, n)>
#nk = affine_map<(m, n, k) -> (n, k)>
#mn = affine_map<(m, n, k) -> (m, n)>
#id = affine_map<(d0, d1) -> (d0, d1)>
#inner = affine_map<(d0, d1) -> (d1)>
#contraction = ["parallel", "parallel", "reduction"]

// S = K Q^T for 48 queries in lanes: a block of 8 rows by 3 vectors of C stays
// in 24 of 32 registers, starting at the constant it is filled with, so that no
// fill is stored. With 16 registers of 8 lanes, 3 rows by 3 vectors.
//
// CHECK-LABEL: func.func @scores
// CHECK-SAME:    %[[K:[a-z0-9]+]]: tensor<64x16xf32>, %[[Q:[a-z0-9]+]]: tensor<16x48xf32>
// CHECK-NOT:     linalg.
// CHECK:         %[[ZERO:.*]] = arith.constant dense<0.000000e+00> : vector<16xf32>
// CHECK-NOT:     linalg.
// CHECK:         scf.for %[[M:[a-z0-9]+]] = %c0 to %c64 step %c8
// CHECK:           %[[ACC:.*]]:24 = scf.for %[[D:[a-z0-9]+]] = %c0 to %c16 step %c1 iter_args(%[[A0:[a-z0-9]+]] = %[[ZERO]]
// CHECK:             %[[B0:.*]] = vector.transfer_read %[[Q]][%[[D]], %c0]
// CHECK:             vector.transfer_read %[[Q]][%[[D]], %c16]
// CHECK:             vector.transfer_read %[[Q]][%[[D]], %c32]
// CHECK:             %[[X:.*]] = tensor.extract %[[K]][%[[M]], %[[D]]]
// CHECK:             %[[XS:.*]] = vector.broadcast %[[X]] : f32 to vector<16xf32>
// CHECK:             vector.fma %[[XS]], %[[B0]], %[[A0]]
// CHECK-COUNT-23:    vector.fma
// CHECK-NOT:         vector.fma
// CHECK:           vector.transfer_write %[[ACC]]#0, %{{.*}}[%[[M]], %c0]
// AVX2-LABEL:  func.func @scores
// AVX2:          iter_args
// AVX2-COUNT-12:   vector.fma {{.*}} : vector<8xf32>
// AVX2-NOT:        vector.fma
// AVX2:            scf.yield
func.func @scores(%k: tensor<64x16xf32>, %q: tensor<16x48xf32>) -> tensor<64x48xf32> {
  %zero = arith.constant 0.0 : f32
  %empty = tensor.empty() : tensor<64x48xf32>
  %init = linalg.fill ins(%zero : f32) outs(%empty : tensor<64x48xf32>) -> tensor<64x48xf32>
  %s = linalg.generic {indexing_maps = [#mk, #kn, #mn], iterator_types = #contraction}
      ins(%k, %q : tensor<64x16xf32>, tensor<16x48xf32>) outs(%init : tensor<64x48xf32>) {
  ^bb0(%a: f32, %b: f32, %c: f32):
    %product = arith.mulf %a, %b : f32
    %sum = arith.addf %c, %product : f32
    linalg.yield %sum : f32
  } -> tensor<64x48xf32>
  return %s : tensor<64x48xf32>
}

// A += V^T P: V is read as it lies, [k, m], and C as it is. 20 rows are two
// blocks of 10.
//
// CHECK-LABEL: func.func @values
// CHECK-SAME:    %[[V:[a-z0-9]+]]: tensor<64x20xf32>, %[[P:[a-z0-9]+]]: tensor<64x32xf32>, %[[C:[a-z0-9]+]]: tensor<20x32xf32>
// CHECK:         scf.for %[[M:[a-z0-9]+]] = %c0 to %c20 step %c10 iter_args(%[[CM:[a-z0-9]+]] = %[[C]])
// CHECK:           %[[START:.*]] = vector.transfer_read %[[CM]][%[[M]], %c0]
// CHECK:           scf.for %[[KK:[a-z0-9]+]] = {{.*}} = %[[START]]
// CHECK:             tensor.extract %[[V]][%[[KK]], %[[M]]]
func.func @values(%v: tensor<64x20xf32>, %p: tensor<64x32xf32>, %c: tensor<20x32xf32>) -> tensor<20x32xf32> {
  %s = linalg.generic {indexing_maps = [#km, #kn, #mn], iterator_types = #contraction}
      ins(%v, %p : tensor<64x20xf32>, tensor<64x32xf32>) outs(%c : tensor<20x32xf32>) {
  ^bb0(%x: f32, %y: f32, %z: f32):
    %product = arith.mulf %y, %x : f32
    %sum = arith.addf %product, %z : f32
    linalg.yield %sum : f32
  } -> tensor<20x32xf32>
  return %s : tensor<20x32xf32>
}

// A' = alpha A + V^T P: the elementwise op that alone uses the product runs on
// the block in registers; what is one for all rows is read as a row.
//
// CHECK-LABEL: func.func @epilogue
// CHECK-SAME:    %[[A:[a-z0-9]+]]: tensor<16x32xf32>, %[[ALPHA:[a-z0-9]+]]: tensor<32xf32>
// CHECK:         scf.for %[[M:[a-z0-9]+]] = {{.*}} iter_args(%[[AM:[a-z0-9]+]] = %[[A]])
// CHECK:           %[[ACC:.*]]:{{[0-9]+}} = scf.for
// CHECK:           %[[SCALE:.*]] = vector.transfer_read %[[ALPHA]][%c0]
// CHECK:           %[[OLD:.*]] = vector.transfer_read %[[AM]][%[[M]], %c0]
// CHECK:           %[[NEW:.*]] = math.fma %[[SCALE]], %[[OLD]], %[[ACC]]#0
// CHECK:           vector.transfer_write %[[NEW]], %[[AM]][%[[M]], %c0]
func.func @epilogue(%v: tensor<64x16xf32>, %p: tensor<64x32xf32>, %a: tensor<16x32xf32>, %alpha: tensor<32xf32>) -> tensor<16x32xf32> {
  %zero = arith.constant 0.0 : f32
  %empty = tensor.empty() : tensor<16x32xf32>
  %init = linalg.fill ins(%zero : f32) outs(%empty : tensor<16x32xf32>) -> tensor<16x32xf32>
  %t = linalg.generic {indexing_maps = [#km, #kn, #mn], iterator_types = #contraction}
      ins(%v, %p : tensor<64x16xf32>, tensor<64x32xf32>) outs(%init : tensor<16x32xf32>) {
  ^bb0(%x: f32, %y: f32, %z: f32):
    %product = arith.mulf %y, %x : f32
    %sum = arith.addf %product, %z : f32
    linalg.yield %sum : f32
  } -> tensor<16x32xf32>
  %s = linalg.generic {indexing_maps = [#inner, #id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%alpha, %t : tensor<32xf32>, tensor<16x32xf32>) outs(%a : tensor<16x32xf32>) {
  ^bb0(%x: f32, %y: f32, %z: f32):
    %sum = math.fma %x, %z, %y : f32
    linalg.yield %sum : f32
  } -> tensor<16x32xf32>
  return %s : tensor<16x32xf32>
}

// A reduction over keys keeps its results in registers: one load and one store
// around the loop over keys.
//
// CHECK-LABEL: func.func @row_maximum
// CHECK-COUNT-3: vector.transfer_read
// CHECK:         %[[MAX:.*]]:3 = scf.for %[[K:.*]] = %c0 to %c64 step %c1 iter_args(%[[M:[a-z0-9]+]] =
// CHECK:           %[[S:.*]] = vector.transfer_read %{{.*}}[%[[K]], %c0]
// CHECK:           arith.maxnumf %[[M]], %[[S]] : vector<16xf32>
// CHECK-NOT:       vector.transfer_write
// CHECK:           scf.yield
// CHECK:         vector.transfer_write %[[MAX]]#0
func.func @row_maximum(%s: tensor<64x48xf32>, %m: tensor<48xf32>) -> tensor<48xf32> {
  %r = linalg.generic {indexing_maps = [#id, #inner], iterator_types = ["reduction", "parallel"]}
      ins(%s : tensor<64x48xf32>) outs(%m : tensor<48xf32>) {
  ^bb0(%a: f32, %b: f32):
    %max = arith.maxnumf %b, %a : f32
    linalg.yield %max : f32
  } -> tensor<48xf32>
  return %r : tensor<48xf32>
}

// Where the maximum starts from a constant, and so is never NaN itself, a
// compare and a select do what the IEEE maximum needs three instructions for.
//
// CHECK-LABEL: func.func @row_maximum_from_constant
// CHECK:         scf.for {{.*}} iter_args(%[[M:[a-z0-9]+]] = %cst
// CHECK:           %[[S:.*]] = vector.transfer_read
// CHECK:           %[[GREATER:.*]] = arith.cmpf ogt, %[[S]], %[[M]]
// CHECK:           arith.select %[[GREATER]], %[[S]], %[[M]]
// CHECK-NOT:       arith.maxnumf
// CHECK:         return
func.func @row_maximum_from_constant(%s: tensor<64x16xf32>) -> tensor<16xf32> {
  %low = arith.constant 0xFF800000 : f32
  %empty = tensor.empty() : tensor<16xf32>
  %m = linalg.fill ins(%low : f32) outs(%empty : tensor<16xf32>) -> tensor<16xf32>
  %r = linalg.generic {indexing_maps = [#id, #inner], iterator_types = ["reduction", "parallel"]}
      ins(%s : tensor<64x16xf32>) outs(%m : tensor<16xf32>) {
  ^bb0(%a: f32, %b: f32):
    %max = arith.maxnumf %a, %b : f32
    linalg.yield %max : f32
  } -> tensor<16xf32>
  return %r : tensor<16xf32>
}

// From NaN, it would stay NaN: the IEEE maximum must remain.
//
// CHECK-LABEL: func.func @row_maximum_from_nan
// CHECK:         arith.maxnumf
func.func @row_maximum_from_nan(%s: tensor<64x16xf32>) -> tensor<16xf32> {
  %nan = arith.constant 0x7FC00000 : f32
  %empty = tensor.empty() : tensor<16xf32>
  %m = linalg.fill ins(%nan : f32) outs(%empty : tensor<16xf32>) -> tensor<16xf32>
  %r = linalg.generic {indexing_maps = [#id, #inner], iterator_types = ["reduction", "parallel"]}
      ins(%s : tensor<64x16xf32>) outs(%m : tensor<16xf32>) {
  ^bb0(%a: f32, %b: f32):
    %max = arith.maxnumf %a, %b : f32
    linalg.yield %max : f32
  } -> tensor<16xf32>
  return %r : tensor<16xf32>
}

// P = exp2(S - m) and its sum in one pass over the tile. The sum may be
// reassociated, so 16 rows each are summed from zero.
//
// CHECK-LABEL: func.func @exponential_and_sum
// CHECK-NOT:     linalg.
// CHECK:         scf.for %[[G:.*]] = %c0 to %c64 step %c16 iter_args(%[[TOTAL:[a-z0-9]+]] = %[[ZERO:.*]], %{{.*}} = %{{.*}})
// CHECK:           %[[GROUP:.*]]:2 = scf.for %[[K:.*]] = %[[G]] to %{{.*}} iter_args(%[[SUM:[a-z0-9]+]] = %[[ZERO]],
// CHECK:             arith.subf
// CHECK:             %[[P:.*]] = math.exp2
// CHECK-DAG:         vector.transfer_write %[[P]], %{{.*}}[%[[K]], %c0]
// CHECK-DAG:         arith.addf %[[SUM]], %[[P]]
// CHECK:           arith.addf %[[TOTAL]], %[[GROUP]]#0
// CHECK-NOT:     math.exp2
// CHECK:         return
func.func @exponential_and_sum(%s: tensor<64x16xf32>, %m: tensor<16xf32>) -> (tensor<64x16xf32>, tensor<16xf32>) {
  %zero = arith.constant 0.0 : f32
  %p = linalg.generic {indexing_maps = [#inner, #id], iterator_types = ["parallel", "parallel"]}
      ins(%m : tensor<16xf32>) outs(%s : tensor<64x16xf32>) {
  ^bb0(%a: f32, %b: f32):
    %d = arith.subf %b, %a : f32
    %e = math.exp2 %d : f32
    linalg.yield %e : f32
  } -> tensor<64x16xf32>
  %empty = tensor.empty() : tensor<16xf32>
  %l = linalg.fill ins(%zero : f32) outs(%empty : tensor<16xf32>) -> tensor<16xf32>
  %r = linalg.generic {indexing_maps = [#id, #inner], iterator_types = ["reduction", "parallel"]}
      ins(%p : tensor<64x16xf32>) outs(%l : tensor<16xf32>) {
  ^bb0(%a: f32, %b: f32):
    %sum = arith.addf %b, %a fastmath<reassoc> : f32
    linalg.yield %sum : f32
  } -> tensor<16xf32>
  return %p, %r : tensor<64x16xf32>, tensor<16xf32>
}

// Not so where the tile is needed before the sum.
//
// CHECK-LABEL: func.func @used_before_sum
// CHECK:         math.exp2
// CHECK-NOT:     arith.addf
// CHECK:         %[[FIRST:.*]] = tensor.extract
// CHECK:         arith.addf
func.func @used_before_sum(%s: tensor<64x16xf32>, %l: tensor<16xf32>) -> (f32, tensor<16xf32>) {
  %c0 = arith.constant 0 : index
  %p = linalg.generic {indexing_maps = [#id], iterator_types = ["parallel", "parallel"]} outs(%s : tensor<64x16xf32>) {
  ^bb0(%b: f32):
    %e = math.exp2 %b : f32
    linalg.yield %e : f32
  } -> tensor<64x16xf32>
  %first = tensor.extract %p[%c0, %c0] : tensor<64x16xf32>
  %r = linalg.generic {indexing_maps = [#id, #inner], iterator_types = ["reduction", "parallel"]}
      ins(%p : tensor<64x16xf32>) outs(%l : tensor<16xf32>) {
  ^bb0(%a: f32, %b: f32):
    %sum = arith.addf %b, %a : f32
    linalg.yield %sum : f32
  } -> tensor<16xf32>
  return %first, %r : f32, tensor<16xf32>
}

// Elementwise ops run a vector at a time; what is constant along the rows is
// read as one vector. 40 queries are 5 vectors of 8: a width that divides leaves
// no ragged end.
//
// CHECK-LABEL: func.func @probabilities
// CHECK:         scf.for {{.*}} = %c0 to %c64 step %c1
// CHECK:           scf.for {{.*}} = %c0 to %c40 step %c8
// CHECK:             arith.subf {{.*}} : vector<8xf32>
// CHECK:             math.exp2 {{.*}} : vector<8xf32>
// CHECK:             vector.transfer_write
func.func @probabilities(%s: tensor<64x40xf32>, %m: tensor<40xf32>) -> tensor<64x40xf32> {
  %r = linalg.generic {indexing_maps = [#inner, #id], iterator_types = ["parallel", "parallel"]}
      ins(%m : tensor<40xf32>) outs(%s : tensor<64x40xf32>) {
  ^bb0(%a: f32, %b: f32):
    %d = arith.subf %b, %a : f32
    %p = math.exp2 %d : f32
    linalg.yield %p : f32
  } -> tensor<64x40xf32>
  return %r : tensor<64x40xf32>
}

// Not a micro-kernel, for B is laid out [n, k]: vectorised as any other op, a
// vector of rows of C at a time.
//
// CHECK-LABEL: func.func @not_a_micro_kernel
// CHECK-NOT:     vector.fma
// CHECK:         return
func.func @not_a_micro_kernel(%a: tensor<16x16xf32>, %b: tensor<16x16xf32>, %c: tensor<16x16xf32>) -> tensor<16x16xf32> {
  %s = linalg.generic {indexing_maps = [#mk, #nk, #mn], iterator_types = #contraction}
      ins(%a, %b : tensor<16x16xf32>, tensor<16x16xf32>) outs(%c : tensor<16x16xf32>) {
  ^bb0(%x: f32, %y: f32, %z: f32):
    %product = arith.mulf %x, %y : f32
    %sum = arith.addf %z, %product : f32
    linalg.yield %sum : f32
  } -> tensor<16x16xf32>
  return %s : tensor<16x16xf32>
}

// Nor is an op without a parallel loop of known size: it stays, and becomes
// scalar loops later.
//
// CHECK-LABEL: func.func @dynamic
// CHECK:         linalg.generic
func.func @dynamic(%x: tensor<?xf32>, %y: tensor<?xf32>) -> tensor<?xf32> {
  %r = linalg.generic {indexing_maps = [affine_map<(d0) -> (d0)>, affine_map<(d0) -> (d0)>], iterator_types = ["parallel"]}
      ins(%x : tensor<?xf32>) outs(%y : tensor<?xf32>) {
  ^bb0(%a: f32, %b: f32):
    %sum = arith.addf %a, %b : f32
    linalg.yield %sum : f32
  } -> tensor<?xf32>
  return %r : tensor<?xf32>
}

// A long sum over k that may be reassociated is taken in groups of 64, so that
// rounding errors add up along a group only: 224 is 64 + 64 + 64 + 32.
//
// CHECK-LABEL: func.func @long_sum
// CHECK:         %[[ZERO:.*]] = arith.constant dense<0.000000e+00> : vector<16xf32>
// CHECK:           %[[FIRST:.*]]:24 = scf.for %{{.*}} = %c0 to %c64 step %c1 iter_args(%{{.*}} = %[[ZERO]]
// CHECK:           %[[WHOLE:.*]]:24 = scf.for %[[G:.*]] = %c64 to %c192 step %c64 iter_args(%[[TOTAL:[a-z0-9]+]] = %[[FIRST]]#0
// CHECK:             %[[GROUP:.*]]:24 = scf.for %[[T:[a-z0-9]+]] = %c0 to %c64 step %c1 iter_args(%{{.*}} = %[[ZERO]]
// CHECK:               %[[D:.*]] = arith.addi %[[T]], %[[G]]
// CHECK:               vector.transfer_read %{{.*}}[%[[D]], %c0]
// CHECK:             arith.addf %[[TOTAL]], %[[GROUP]]#0
// CHECK:           %[[REST:.*]]:24 = scf.for %{{.*}} = %c0 to %c32 step %c1 iter_args(%{{.*}} = %[[ZERO]]
// CHECK:           %[[SUM:.*]] = arith.addf %[[WHOLE]]#0, %[[REST]]#0
// CHECK:           vector.transfer_write %[[SUM]]
func.func @long_sum(%k: tensor<64x224xf32>, %q: tensor<224x48xf32>, %empty: tensor<64x48xf32>) -> tensor<64x48xf32> {
  %zero = arith.constant 0.0 : f32
  %init = linalg.fill ins(%zero : f32) outs(%empty : tensor<64x48xf32>) -> tensor<64x48xf32>
  %s = linalg.generic {indexing_maps = [#mk, #kn, #mn], iterator_types = #contraction}
      ins(%k, %q : tensor<64x224xf32>, tensor<224x48xf32>) outs(%init : tensor<64x48xf32>) {
  ^bb0(%a: f32, %b: f32, %c: f32):
    %ab = arith.mulf %a, %b : f32
    %sum = arith.addf %c, %ab fastmath<reassoc> : f32
    linalg.yield %sum : f32
  } -> tensor<64x48xf32>
  return %s : tensor<64x48xf32>
}

// In the order that is written otherwise.
//
// CHECK-LABEL: func.func @long_sum_in_order
// CHECK:         scf.for %{{.*}} = %c0 to %c224 step %c1
func.func @long_sum_in_order(%k: tensor<64x224xf32>, %q: tensor<224x48xf32>, %c: tensor<64x48xf32>) -> tensor<64x48xf32> {
  %s = linalg.generic {indexing_maps = [#mk, #kn, #mn], iterator_types = #contraction}
      ins(%k, %q : tensor<64x224xf32>, tensor<224x48xf32>) outs(%c : tensor<64x48xf32>) {
  ^bb0(%a: f32, %b: f32, %x: f32):
    %ab = arith.mulf %a, %b : f32
    %sum = arith.addf %x, %ab : f32
    linalg.yield %sum : f32
  } -> tensor<64x48xf32>
  return %s : tensor<64x48xf32>
}

// Queries lie in rows and are packed in columns: squares of 16 by 16 elements
// are exchanged by four rounds of shuffles, and no element is moved by itself.
// With 8 lanes, squares of 8 by 8 in three rounds.
//
// CHECK-LABEL: func.func @transposed
// CHECK-SAME:    %[[Q:[a-z0-9]+]]: tensor<16x32xf16>, %[[TO:[a-z0-9]+]]: tensor<32x16xf32>
// CHECK:         scf.for %[[D:[a-z0-9]+]] = %c0 to %c32 step %c16 iter_args(%[[R:[a-z0-9]+]] = %[[TO]])
// CHECK:           %[[Q0:.*]] = vector.transfer_read %[[Q]][%c0, %[[D]]]
// CHECK-COUNT-15:  vector.transfer_read %[[Q]]
// CHECK-NOT:       vector.transfer_read
// CHECK:           vector.shuffle %[[Q0]], %{{.*}} [0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23] : vector<16xf16>
// CHECK:           vector.shuffle %[[Q0]], %{{.*}} [8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31]
// CHECK-COUNT-62:  vector.shuffle
// CHECK-NOT:       vector.shuffle
// CHECK:           %[[WIDE:.*]] = arith.extf %{{.*}} : vector<16xf16> to vector<16xf32>
// CHECK:           %[[Y:.*]] = arith.mulf %[[WIDE]]
// CHECK:           vector.transfer_write %[[Y]], %[[R]][%[[D]], %c0]
// CHECK-COUNT-15:  vector.transfer_write
// CHECK-NOT:       vector.transfer_write
// AVX2-LABEL:  func.func @transposed
// AVX2:          scf.for
// AVX2:            scf.for
// AVX2-COUNT-24:     vector.shuffle {{.*}} : vector<8xf16>
// AVX2-NOT:          vector.shuffle
// AVX2:              scf.yield
func.func @transposed(%q: tensor<16x32xf16>, %to: tensor<32x16xf32>) -> tensor<32x16xf32> {
  %scale = arith.constant 2.0 : f32
  %r = linalg.generic {indexing_maps = [#id, affine_map<(d0, d1) -> (d1, d0)>], iterator_types = ["parallel", "parallel"]}
      ins(%q : tensor<16x32xf16>) outs(%to : tensor<32x16xf32>) {
  ^bb0(%x: f16, %o: f32):
    %wide = arith.extf %x : f16 to f32
    %y = arith.mulf %wide, %scale : f32
    linalg.yield %y : f32
  } -> tensor<32x16xf32>
  return %r : tensor<32x16xf32>
}

// Of a number of rows that is not known, whole squares come first; what is left
// goes row by row. A value for each row is spread over its columns.
//
// CHECK-LABEL: func.func @transposed_rows
// CHECK:         %[[WHOLE:.*]] = affine.min
// CHECK:         scf.for %[[ROW:[a-z0-9]+]] = %c0 to %[[WHOLE]] step %c16
// CHECK-COUNT-64:  vector.shuffle
// CHECK:           %[[L:.*]] = tensor.extract %{{.*}}[%[[ROW]]]
// CHECK:           %[[LS:.*]] = vector.broadcast %[[L]] : f32 to vector<16xf32>
// CHECK:           arith.divf %{{.*}}, %[[LS]]
// CHECK:         scf.for %{{.*}} = %c0 to %{{.*}} step %c1
// CHECK-NOT:       vector.shuffle
// CHECK:           arith.divf {{.*}} : vector<16xf32>
// CHECK:         return
func.func @transposed_rows(%a: tensor<16x?xf32>, %l: tensor<?xf32>, %to: tensor<?x16xf32>) -> tensor<?x16xf32> {
  %r = linalg.generic {indexing_maps = [affine_map<(d0, d1) -> (d1, d0)>, affine_map<(d0, d1) -> (d0)>, #id],
                       iterator_types = ["parallel", "parallel"]}
      ins(%a, %l : tensor<16x?xf32>, tensor<?xf32>) outs(%to : tensor<?x16xf32>) {
  ^bb0(%x: f32, %d: f32, %o: f32):
    %y = arith.divf %x, %d : f32
    linalg.yield %y : f32
  } -> tensor<?x16xf32>
  return %r : tensor<?x16xf32>
}
