// What bodies compute of the indices of loops, and what they read of tensors: the
// same in all lanes once, as scalars; neighbours in neighbouring lanes as vectors.
//
// RUN: sparse-attn-opt %s --sparse-attn-tile-registers --canonicalize --cse --split-input-file | FileCheck %s

#id = affine_map<(d0, d1) -> (d0, d1)>
#inner = affine_map<(d0, d1) -> (d1)>

// Scores with a slope of each row, a bias of each key and a mask join the maximum:
// a position of lanes is one scalar and the lanes' numbers.
//
// CHECK-LABEL: func.func @scores
// CHECK-SAME:    %[[S:[a-z0-9]+]]: tensor<64x16xf32>, %[[BIAS:[a-z0-9]+]]: tensor<64xf32>, %[[SLOPES:[a-z0-9]+]]: tensor<16xf32>, %[[ROW:[a-z0-9]+]]: i32
// CHECK-DAG:     %[[LANES:.*]] = arith.constant dense<[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15]> : vector<16xi32>
// CHECK-NOT:     linalg.
// CHECK:         scf.for %[[K:[a-z0-9]+]] = %c0 to %c64 step %c1 iter_args(%[[MAX:[a-z0-9]+]] =
// CHECK:           %[[SCORE:.*]] = vector.transfer_read
// CHECK:           %[[KEY:.*]] = arith.index_cast %[[K]] : index to i32
// CHECK:           %[[FIRST:.*]] = arith.subi %[[ROW]], %[[KEY]] : i32
// CHECK:           %[[CLAMPED:.*]] = arith.minsi %[[K]], %c50 : index
// CHECK:           %[[MORE:.*]] = tensor.extract %[[BIAS]][%[[CLAMPED]]] : tensor<64xf32>
// CHECK:           %[[SPLAT:.*]] = vector.broadcast %[[FIRST]] : i32 to vector<16xi32>
// CHECK:           %[[DISTANCE:.*]] = arith.addi %[[SPLAT]], %[[LANES]] : vector<16xi32>
// CHECK:           %[[FLOAT:.*]] = arith.sitofp %[[DISTANCE]] : vector<16xi32> to vector<16xf32>
// CHECK:           %[[SLOPE:.*]] = vector.transfer_read %[[SLOPES]][%c0]
// CHECK:           arith.mulf %[[SLOPE]], %[[FLOAT]] : vector<16xf32>
// CHECK:           vector.broadcast %[[MORE]] : f32 to vector<16xf32>
// CHECK:           arith.cmpi sge, %[[DISTANCE]], %{{.*}} : vector<16xi32>
// CHECK:           arith.select {{.*}} : vector<16xi1>, vector<16xf32>
func.func @scores(%s: tensor<64x16xf32>, %bias: tensor<64xf32>, %slopes: tensor<16xf32>, %row: i32) -> (tensor<64x16xf32>, tensor<16xf32>) {
  %least = arith.constant 0xFF800000 : f32
  %zero = arith.constant 0 : i32
  %last = arith.constant 50 : index
  %scores = linalg.generic {indexing_maps = [#id], iterator_types = ["parallel", "parallel"]} outs(%s : tensor<64x16xf32>) {
  ^bb0(%score: f32):
    %k = linalg.index 0 : index
    %q = linalg.index 1 : index
    %k32 = arith.index_cast %k : index to i32
    %q32 = arith.index_cast %q : index to i32
    %i = arith.addi %row, %q32 : i32
    %distance = arith.subi %i, %k32 : i32
    %float = arith.sitofp %distance : i32 to f32
    %slope = tensor.extract %slopes[%q] : tensor<16xf32>
    %linear = arith.mulf %slope, %float : f32
    %sloped = arith.subf %score, %linear : f32
    %clamped = arith.minsi %k, %last : index
    %more = tensor.extract %bias[%clamped] : tensor<64xf32>
    %sum = arith.addf %sloped, %more : f32
    %live = arith.cmpi sge, %distance, %zero : i32
    %masked = arith.select %live, %sum, %least : f32
    linalg.yield %masked : f32
  } -> tensor<64x16xf32>
  %empty = tensor.empty() : tensor<16xf32>
  %start = linalg.fill ins(%least : f32) outs(%empty : tensor<16xf32>) -> tensor<16xf32>
  %max = linalg.generic {indexing_maps = [#id, #inner], iterator_types = ["reduction", "parallel"]}
      ins(%scores : tensor<64x16xf32>) outs(%start : tensor<16xf32>) {
  ^bb0(%x: f32, %m: f32):
    %larger = arith.maxnumf %x, %m : f32
    linalg.yield %larger : f32
  } -> tensor<16xf32>
  return %scores, %max : tensor<64x16xf32>, tensor<16xf32>
}

// -----

// Elements that are not neighbours are gathered, by the vectoriser.
//
// CHECK-LABEL: func.func @every_other
// CHECK:         vector.gather
func.func @every_other(%s: tensor<64x16xf32>, %slopes: tensor<32xf32>, %two: index) -> tensor<64x16xf32> {
  %scores = linalg.generic {indexing_maps = [affine_map<(d0, d1) -> (d0, d1)>], iterator_types = ["parallel", "parallel"]}
      outs(%s : tensor<64x16xf32>) {
  ^bb0(%score: f32):
    %q = linalg.index 1 : index
    %twice = arith.muli %q, %two : index
    %slope = tensor.extract %slopes[%twice] : tensor<32xf32>
    %sum = arith.addf %score, %slope : f32
    linalg.yield %sum : f32
  } -> tensor<64x16xf32>
  return %scores : tensor<64x16xf32>
}

// -----

// A bias of rows, which are lanes, and keys: blocks of 16 rows by 16 keys are read
// along the keys and transposed, where these are neighbours; where the last key
// stands for others, elements are copied.
//
// CHECK-LABEL: func.func @bias
// CHECK-SAME:    %[[S:[a-z0-9]+]]: tensor<32x16xf32>, %[[BIAS:[a-z0-9]+]]: tensor<4x100x?xf32>, %[[HEAD:[a-z0-9]+]]: index, %[[KEY:[a-z0-9]+]]: i32, %[[LAST:[a-z0-9]+]]: index
// CHECK-NOT:     vector.gather
// CHECK:         %[[TILE:.*]] = scf.for %[[K:[a-z0-9]+]] = %c0 to %c32 step %c16 iter_args(%[[T:[a-z0-9]+]] =
// CHECK:           %[[FIRST:.*]] = arith.minsi %{{.*}}, %[[LAST]] : index
// CHECK:           %[[FINAL:.*]] = arith.minsi %{{.*}}, %[[LAST]] : index
// CHECK:           %[[SIZE:.*]] = arith.subi %[[FINAL]], %[[FIRST]] : index
// CHECK:           %[[WHOLE:.*]] = arith.cmpi eq, %[[SIZE]], %c15 : index
// CHECK:           scf.if %[[WHOLE]] -> (tensor<32x16xf32>) {
// CHECK:             vector.transfer_read %[[BIAS]][%[[HEAD]], %c3, %[[FIRST]]]
// CHECK-COUNT-15:    vector.transfer_read %[[BIAS]]
// CHECK-COUNT-64:    vector.shuffle
// CHECK-COUNT-16:    vector.transfer_write
// CHECK:           } else {
// CHECK:             scf.for %[[LANE:[a-z0-9]+]] = %c0 to %c16 step %c1
// CHECK:               %[[ONE:.*]] = arith.minsi %{{.*}}, %[[LAST]] : index
// CHECK:               tensor.extract %[[BIAS]][%[[HEAD]], %c3, %[[ONE]]]
// CHECK:               tensor.insert
// CHECK-NOT:       vector.gather
// CHECK:         scf.for %[[R:[a-z0-9]+]] = %c0 to %c32
// CHECK:           vector.transfer_read %[[TILE]][%[[R]], %c0]
// CHECK:           arith.addf
func.func @bias(%s: tensor<32x16xf32>, %bias: tensor<4x100x?xf32>, %head: index, %key: i32, %last: index) -> (tensor<32x16xf32>, tensor<16xf32>) {
  %least = arith.constant 0xFF800000 : f32
  %three = arith.constant 3 : index
  %scores = linalg.generic {indexing_maps = [affine_map<(d0, d1) -> (d0, d1)>], iterator_types = ["parallel", "parallel"]}
      outs(%s : tensor<32x16xf32>) {
  ^bb0(%score: f32):
    %k = linalg.index 0 : index
    %q = linalg.index 1 : index
    %k32 = arith.index_cast %k : index to i32
    %j = arith.addi %key, %k32 : i32
    %place = arith.index_cast %j : i32 to index
    %clamped = arith.minsi %place, %last : index
    %row = arith.addi %q, %three : index
    %more = tensor.extract %bias[%head, %row, %clamped] : tensor<4x100x?xf32>
    %sum = arith.addf %score, %more : f32
    linalg.yield %sum : f32
  } -> tensor<32x16xf32>
  %empty = tensor.empty() : tensor<16xf32>
  %start = linalg.fill ins(%least : f32) outs(%empty : tensor<16xf32>) -> tensor<16xf32>
  %max = linalg.generic {indexing_maps = [affine_map<(d0, d1) -> (d0, d1)>, affine_map<(d0, d1) -> (d1)>], iterator_types = ["reduction", "parallel"]}
      ins(%scores : tensor<32x16xf32>) outs(%start : tensor<16xf32>) {
  ^bb0(%x: f32, %m: f32):
    %larger = arith.maxnumf %x, %m : f32
    linalg.yield %larger : f32
  } -> tensor<16xf32>
  return %scores, %max : tensor<32x16xf32>, tensor<16xf32>
}

// -----

// Keys in lanes need no transposition.
//
// CHECK-LABEL: func.func @bias_along_keys
// CHECK-SAME:    %{{.*}}: tensor<4x32xf32>, %[[BIAS:[a-z0-9]+]]: tensor<100x?xf32>, %[[LAST:[a-z0-9]+]]: index
// CHECK:         scf.for %[[ROW:[a-z0-9]+]] = %c0 to %c4 step %c1
// CHECK:           scf.for %{{.*}} = %c0 to %c32 step %c16
// CHECK:             scf.if
// CHECK:               vector.transfer_read %[[BIAS]][%[[ROW]], %
// CHECK-NOT:         vector.shuffle
// CHECK:             } else {
// CHECK-NOT:     vector.gather
func.func @bias_along_keys(%s: tensor<4x32xf32>, %bias: tensor<100x?xf32>, %last: index) -> tensor<4x32xf32> {
  %scores = linalg.generic {indexing_maps = [affine_map<(d0, d1) -> (d0, d1)>], iterator_types = ["parallel", "parallel"]}
      outs(%s : tensor<4x32xf32>) {
  ^bb0(%score: f32):
    %q = linalg.index 0 : index
    %k = linalg.index 1 : index
    %clamped = arith.minsi %k, %last : index
    %more = tensor.extract %bias[%q, %clamped] : tensor<100x?xf32>
    %sum = arith.addf %score, %more : f32
    linalg.yield %sum : f32
  } -> tensor<4x32xf32>
  return %scores : tensor<4x32xf32>
}
