// Operations on static tiles become operations on vectors of the tile's shape.
//
// RUN: sparse-attn-opt %s --allow-unregistered-dialect --sparse-attn-vectorize-tiles --canonicalize | FileCheck %s

#id = affine_map<(m, n) -> (m, n)>
#row = affine_map<(m, n) -> (m)>
#qd = affine_map<(m, n, d) -> (m, d)>
#kd = affine_map<(m, n, d) -> (n, d)>
#mn = affine_map<(m, n, d) -> (m, n)>

// CHECK-LABEL: func.func @exponential
// CHECK:         %[[S:.*]] = vector.transfer_read {{.*}} vector<32x16xf32>
// CHECK:         %[[P:.*]] = math.exp2 %[[S]] : vector<32x16xf32>
// CHECK:         vector.transfer_write %[[P]]
// CHECK-NOT:     linalg
func.func @exponential(%s: tensor<32x16xf32>) -> tensor<32x16xf32> {
  %r = linalg.generic {indexing_maps = [#id], iterator_types = ["parallel", "parallel"]}
      outs(%s : tensor<32x16xf32>) {
  ^bb0(%x: f32):
    %p = math.exp2 %x : f32
    linalg.yield %p : f32
  } -> tensor<32x16xf32>
  return %r : tensor<32x16xf32>
}

// A product is a contraction of the operands as they come.
//
// CHECK-LABEL: func.func @scores
// CHECK:         vector.contract {{.*}} : vector<32x16xf16>, vector<16x16xf16> into vector<32x16xf32>
// CHECK-NOT:     arith.extf
func.func @scores(%q: tensor<32x16xf16>, %k: tensor<16x16xf16>, %s: tensor<32x16xf32>) -> tensor<32x16xf32> {
  %r = linalg.contract indexing_maps = [#qd, #kd, #mn]
      ins(%q, %k : tensor<32x16xf16>, tensor<16x16xf16>) outs(%s : tensor<32x16xf32>) -> tensor<32x16xf32>
  return %r : tensor<32x16xf32>
}

// CHECK-LABEL: func.func @row_maximum
// CHECK:         vector.multi_reduction <maxnumf>, %{{.*}}, %{{.*}} [1] : vector<32x16xf32> to vector<32xf32>
func.func @row_maximum(%s: tensor<32x16xf32>, %m: tensor<32xf32>) -> tensor<32xf32> {
  %r = linalg.generic {indexing_maps = [#id, #row], iterator_types = ["parallel", "reduction"]}
      ins(%s : tensor<32x16xf32>) outs(%m : tensor<32xf32>) {
  ^bb0(%a: f32, %b: f32):
    %max = arith.maxnumf %a, %b : f32
    linalg.yield %max : f32
  } -> tensor<32xf32>
  return %r : tensor<32xf32>
}

// The last tile of keys: a padded slice is a read with a boundary.
//
// CHECK-LABEL: func.func @last_keys
// CHECK-SAME:    %[[K:.*]]: tensor<?x16xf16>
// CHECK:         vector.transfer_read %[[K]]{{.*}} {in_bounds = [false, true]} : tensor<?x16xf16>, vector<32x16xf16>
// CHECK-NOT:     tensor.pad
func.func @last_keys(%k: tensor<?x16xf16>, %missing: index) -> tensor<32x16xf32> {
  %zero = arith.constant 0.0 : f16
  %padded = tensor.pad %k low[0, 0] high[%missing, 0] {
  ^bb0(%i: index, %j: index):
    tensor.yield %zero : f16
  } : tensor<?x16xf16> to tensor<32x16xf16>
  %empty = tensor.empty() : tensor<32x16xf32>
  %r = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%padded : tensor<32x16xf16>) outs(%empty : tensor<32x16xf32>) {
  ^bb0(%x: f16, %y: f32):
    %wide = arith.extf %x : f16 to f32
    linalg.yield %wide : f32
  } -> tensor<32x16xf32>
  return %r : tensor<32x16xf32>
}

// The last tile of queries, of which some rows are kept only: a write with a
// boundary. So are 20 of 32 rows, whose number is known.
//
// CHECK-LABEL: func.func @last_queries
// CHECK-SAME:    %[[N:[a-z0-9]+]]: index
// CHECK:         %[[ROWS:.*]] = tensor.empty(%[[N]]) : tensor<?x16xf32>
// CHECK:         vector.transfer_write %{{.*}}, %[[ROWS]]{{.*}} {in_bounds = [false, true]}
// CHECK:         %[[TWENTY:.*]] = tensor.empty() : tensor<20x16xf32>
// CHECK:         vector.transfer_write %{{.*}}, %[[TWENTY]]{{.*}} {in_bounds = [false, true]}
func.func @last_queries(%s: tensor<32x16xf32>, %n: index) -> (tensor<?x16xf32>, tensor<20x16xf32>) {
  %empty = tensor.empty() : tensor<32x16xf32>
  %r = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%s : tensor<32x16xf32>) outs(%empty : tensor<32x16xf32>) {
  ^bb0(%x: f32, %y: f32):
    %p = math.exp2 %x : f32
    linalg.yield %p : f32
  } -> tensor<32x16xf32>
  %rows = tensor.extract_slice %r[0, 0] [%n, 16] [1, 1] : tensor<32x16xf32> to tensor<?x16xf32>
  %twenty = tensor.extract_slice %r[0, 0] [20, 16] [1, 1] : tensor<32x16xf32> to tensor<20x16xf32>
  return %rows, %twenty : tensor<?x16xf32>, tensor<20x16xf32>
}

// Any other slice stays one.
//
// CHECK-LABEL: func.func @not_the_first_rows
// CHECK:         tensor.extract_slice %{{.*}}[4, 0]
func.func @not_the_first_rows(%s: tensor<32x16xf32>) -> tensor<20x16xf32> {
  %empty = tensor.empty() : tensor<32x16xf32>
  %r = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%s : tensor<32x16xf32>) outs(%empty : tensor<32x16xf32>) {
  ^bb0(%x: f32, %y: f32):
    %p = math.exp2 %x : f32
    linalg.yield %p : f32
  } -> tensor<32x16xf32>
  %slice = tensor.extract_slice %r[4, 0] [20, 16] [1, 1] : tensor<32x16xf32> to tensor<20x16xf32>
  return %slice : tensor<20x16xf32>
}

// Branches hand on vectors, and tiles that they read are read before them: a row of
// a tile is taken from the tile.
//
// CHECK-LABEL: func.func @branch
// CHECK-SAME:    %[[C:[a-z0-9]+]]: i1, %[[S:[a-z0-9]+]]: tensor<32x16xf32>, %[[K:[a-z0-9]+]]: index
// CHECK:         %[[TILE:.*]] = vector.transfer_read %[[S]]{{.*}} : tensor<32x16xf32>, vector<32x16xf32>
// CHECK:         %[[V:.*]] = scf.if %[[C]] -> (vector<32x16xf32>) {
// CHECK-NEXT:      scf.yield %[[TILE]] : vector<32x16xf32>
// CHECK:         } else {
// CHECK:           %[[ROW:.*]] = vector.extract %{{.*}}[%[[K]]] : vector<16xf32> from vector<32x16xf32>
// CHECK:           %[[ROWS:.*]] = vector.broadcast %[[ROW]] : vector<16xf32> to vector<32x16xf32>
// CHECK:           scf.yield %{{.*}} : vector<32x16xf32>
// CHECK:         vector.transfer_write %[[V]], %[[S]]
func.func @branch(%c: i1, %s: tensor<32x16xf32>, %k: index, %o: tensor<32x16xf32>) -> tensor<32x16xf32> {
  %all = scf.forall (%t) in (1) shared_outs(%out = %o) -> tensor<32x16xf32> {
    %r = scf.if %c -> tensor<32x16xf32> {
      scf.yield %s : tensor<32x16xf32>
    } else {
      %row = tensor.extract_slice %s[%k, 0] [1, 16] [1, 1] : tensor<32x16xf32> to tensor<16xf32>
      %sum = linalg.generic {indexing_maps = [affine_map<(d0, d1) -> (d1)>, #id],
                             iterator_types = ["parallel", "parallel"]}
          ins(%row : tensor<16xf32>) outs(%s : tensor<32x16xf32>) {
      ^bb0(%x: f32, %y: f32):
        %p = arith.addf %x, %y : f32
        linalg.yield %p : f32
      } -> tensor<32x16xf32>
      scf.yield %sum : tensor<32x16xf32>
    }
    scf.forall.in_parallel {
      tensor.parallel_insert_slice %r into %out[0, 0] [32, 16] [1, 1] : tensor<32x16xf32> into tensor<32x16xf32>
    }
  }
  return %all : tensor<32x16xf32>
}

// A tile that is made inside goes into memory of its own, made before it.
//
// CHECK-LABEL: func.func @made_inside
// CHECK:         %[[MEMORY:.*]] = tensor.empty() : tensor<32x16xf32>
// CHECK:         %[[V:.*]] = scf.if %{{.*}} -> (vector<32x16xf32>) {
// CHECK:         vector.transfer_write %[[V]], %[[MEMORY]]
func.func @made_inside(%c: i1, %s: tensor<32x16xf32>, %o: tensor<64x16xf32>) -> tensor<64x16xf32> {
  %all = scf.forall (%t) in (2) shared_outs(%out = %o) -> tensor<64x16xf32> {
    %r = scf.if %c -> tensor<32x16xf32> {
      %init = tensor.empty() : tensor<32x16xf32>
      %sum = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
          ins(%s : tensor<32x16xf32>) outs(%init : tensor<32x16xf32>) {
      ^bb0(%x: f32, %y: f32):
        %p = math.exp2 %x : f32
        linalg.yield %p : f32
      } -> tensor<32x16xf32>
      %made = "test.made"(%sum) : (tensor<32x16xf32>) -> tensor<32x16xf32>
      scf.yield %made : tensor<32x16xf32>
    } else {
      scf.yield %s : tensor<32x16xf32>
    }
    %row = arith.muli %t, %t : index
    scf.forall.in_parallel {
      tensor.parallel_insert_slice %r into %out[%row, 0] [32, 16] [1, 1] : tensor<32x16xf32> into tensor<64x16xf32>
    }
  }
  return %all : tensor<64x16xf32>
}

// Branches around a loop over query tiles are the host's, as are those beside it.
//
// CHECK-LABEL: func.func @around
// CHECK:         scf.if %{{.*}} -> (tensor<32x16xf32>) {
// CHECK:           scf.forall
// CHECK:         scf.if %{{.*}} -> (tensor<32x16xf32>) {
func.func @around(%c: i1, %d: i1, %s: tensor<32x16xf32>, %o: tensor<32x16xf32>) -> tensor<32x16xf32> {
  %r = scf.if %c -> tensor<32x16xf32> {
    %all = scf.forall (%t) in (2) shared_outs(%out = %o) -> tensor<32x16xf32> {
      %part = tensor.extract_slice %s[%t, 0] [16, 16] [1, 1] : tensor<32x16xf32> to tensor<16x16xf32>
      scf.forall.in_parallel {
        tensor.parallel_insert_slice %part into %out[%t, 0] [16, 16] [1, 1] : tensor<16x16xf32> into tensor<32x16xf32>
      }
    }
    scf.yield %all : tensor<32x16xf32>
  } else {
    scf.yield %s : tensor<32x16xf32>
  }
  %other = scf.if %d -> tensor<32x16xf32> {
    %made = "test.made"(%r) : (tensor<32x16xf32>) -> tensor<32x16xf32>
    scf.yield %made : tensor<32x16xf32>
  } else {
    scf.yield %r : tensor<32x16xf32>
  }
  return %other : tensor<32x16xf32>
}

// A condition on all elements is a value, not memory.
//
// CHECK-LABEL: func.func @condition
// CHECK:         %[[ALL:.*]] = vector.multi_reduction <and>, %{{.*}}, %{{.*}} [0] : vector<32xi1> to i1
// CHECK-NOT:     tensor.extract
// CHECK:         return %[[ALL]]
func.func @condition(%s: tensor<32xi1>) -> i1 {
  %true = arith.constant true
  %empty = tensor.empty() : tensor<i1>
  %init = linalg.fill ins(%true : i1) outs(%empty : tensor<i1>) -> tensor<i1>
  %all = linalg.generic {indexing_maps = [affine_map<(d0) -> (d0)>, affine_map<(d0) -> ()>],
                         iterator_types = ["reduction"]}
      ins(%s : tensor<32xi1>) outs(%init : tensor<i1>) {
  ^bb0(%x: i1, %y: i1):
    %p = arith.andi %x, %y : i1
    linalg.yield %p : i1
  } -> tensor<i1>
  %r = tensor.extract %all[] : tensor<i1>
  return %r : i1
}

// Rows that a layout names are read by their numbers. Numbers that are computed from
// places are computed again for each pair of a mask.
//
// CHECK-LABEL: func.func @gather
// CHECK-SAME:    %[[K:[a-z0-9]+]]: tensor<2x?x8xf16>
// CHECK:         %[[STEP:.*]] = vector.step : vector<16xindex>
// CHECK:         %[[NUMBERS:.*]] = arith.muli %{{.*}}, %{{.*}} : vector<16xi32>
// CHECK:         %[[ROWS:.*]] = tensor.extract_slice %[[K]][%{{.*}}, 0, 0] [1, %{{.*}}, 8]
// CHECK:         %[[TILE:.*]] = sparse_attn.read_rows %[[ROWS]] at %[[NUMBERS]] : tensor<?x8xf16>, vector<16xi32> -> vector<16x8xf16>
// CHECK:         vector.transfer_write %[[TILE]]
// CHECK-NOT:     tensor.extract %
// CHECK:         %[[AGAIN:.*]] = arith.muli %{{.*}}, %{{.*}} : vector<16xi32>
// CHECK:         arith.cmpi slt, %[[AGAIN]], %{{.*}} : vector<16xi32>
func.func @gather(%k: tensor<2x?x8xf16>, %b: index, %limit: i32) -> (tensor<16x8xf16>, tensor<32x16xi1>) {
  %c7 = arith.constant 7 : i32
  %e = tensor.empty() : tensor<16xi32>
  %positions = linalg.generic {indexing_maps = [affine_map<(m) -> (m)>], iterator_types = ["parallel"]}
      outs(%e : tensor<16xi32>) {
  ^bb0(%x: i32):
    %m = linalg.index 0 : index
    %n = arith.index_cast %m : index to i32
    %p = arith.muli %n, %c7 : i32
    linalg.yield %p : i32
  } -> tensor<16xi32>
  %rows = sparse_attn.gather_rows %k[%b] at %positions : tensor<2x?x8xf16>, tensor<16xi32> -> tensor<16x8xf16>
  %mask = tensor.empty() : tensor<32x16xi1>
  %live = linalg.generic {indexing_maps = [#id], iterator_types = ["parallel", "parallel"]}
      outs(%mask : tensor<32x16xi1>) {
  ^bb0(%x: i1):
    %c = linalg.index 1 : index
    %j = tensor.extract %positions[%c] : tensor<16xi32>
    %l = arith.cmpi slt, %j, %limit : i32
    linalg.yield %l : i1
  } -> tensor<32x16xi1>
  return %rows, %live : tensor<16x8xf16>, tensor<32x16xi1>
}

// Rows that are scattered are those of a vector, and numbers that are computed from others are
// vectors, too.
//
// CHECK-LABEL: func.func @scatter
// CHECK-SAME:    %[[V:[a-z0-9]+]]: vector<16x8xf16>, %[[N:[a-z0-9]+]]: tensor<16xi32>
// CHECK:         scf.forall (%[[I:.*]]) in (4)
// CHECK:           %[[NUMBERS:.*]] = vector.transfer_read %[[N]]
// CHECK:           %[[ROWS:.*]] = arith.subi %[[NUMBERS]], %{{.*}} : vector<16xi32>
// CHECK:           sparse_attn.scatter_rows %[[V]] into %{{.*}}[%[[I]]] at %[[ROWS]] : vector<16x8xf16>, vector<16xi32> into tensor<4x?x8xf16>
func.func @scatter(%v: vector<16x8xf16>, %n: tensor<16xi32>, %first: i32, %output: tensor<4x?x8xf16>) -> tensor<4x?x8xf16> {
  %c0 = arith.constant 0 : index
  %r = scf.forall (%i) in (4) shared_outs(%o = %output) -> tensor<4x?x8xf16> {
    %e = tensor.empty() : tensor<16x8xf16>
    %t = vector.transfer_write %v, %e[%c0, %c0] {in_bounds = [true, true]} : vector<16x8xf16>, tensor<16x8xf16>
    %d = tensor.empty() : tensor<16xi32>
    %rows = linalg.generic {indexing_maps = [affine_map<(m) -> (m)>, affine_map<(m) -> (m)>], iterator_types = ["parallel"]}
        ins(%n : tensor<16xi32>) outs(%d : tensor<16xi32>) {
    ^bb0(%x: i32, %y: i32):
      %row = arith.subi %x, %first : i32
      linalg.yield %row : i32
    } -> tensor<16xi32>
    scf.forall.in_parallel {
      sparse_attn.scatter_rows %t into %o[%i] at %rows : tensor<16x8xf16>, tensor<16xi32> into tensor<4x?x8xf16>
    }
  }
  return %r : tensor<4x?x8xf16>
}
