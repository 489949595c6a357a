// Errors of states and of the operations on them.
//
// RUN: sparse-attn-opt %s --split-input-file --verify-diagnostics

// expected-error@below {{a state has two sizes, rows and elements of a value row, got 1}}
func.func private @one_size(!sparse_attn.state<32xf32>)

// -----

// expected-error@below {{a state has 1 to 65536 rows of at least one element, got 0 x 16}}
func.func private @no_rows(!sparse_attn.state<0x16xf32>)

// -----

// expected-error@below {{the operands of a state are f16, bf16 or f32, got 'i32'}}
func.func private @integers(!sparse_attn.state<32x16xi32>)

// -----

func.func @query_rank(%s: !sparse_attn.state<32x16xf32>, %q: tensor<32xf32>, %k: tensor<64x8xf32>, %v: tensor<64x16xf32>, %at: index) {
  // expected-error@below {{query must be a tile of rows of a static size, got 'tensor<32xf32>'}}
  %r = sparse_attn.step %s ins(%q, %k, %v : tensor<32xf32>, tensor<64x8xf32>, tensor<64x16xf32>)
      at(%at, %at) keys(64) scale(0.25) : !sparse_attn.state<32x16xf32>
  return
}

// -----

func.func @query_size(%s: !sparse_attn.state<32x16xf32>, %q: tensor<32x?xf32>, %k: tensor<64x8xf32>, %v: tensor<64x16xf32>, %at: index) {
  // expected-error@below {{query must be a tile of rows of a static size, got 'tensor<32x?xf32>'}}
  %r = sparse_attn.step %s ins(%q, %k, %v : tensor<32x?xf32>, tensor<64x8xf32>, tensor<64x16xf32>)
      at(%at, %at) keys(64) scale(0.25) : !sparse_attn.state<32x16xf32>
  return
}

// -----

func.func @query_rows(%s: !sparse_attn.state<32x16xf32>, %q: tensor<48x8xf32>, %k: tensor<64x8xf32>, %v: tensor<64x16xf32>, %at: index) {
  // expected-error@below {{query has 48 rows, of a tile of 32}}
  %r = sparse_attn.step %s ins(%q, %k, %v : tensor<48x8xf32>, tensor<64x8xf32>, tensor<64x16xf32>)
      at(%at, %at) keys(64) scale(0.25) : !sparse_attn.state<32x16xf32>
  return
}

// -----

func.func @key_size(%s: !sparse_attn.state<32x16xf32>, %q: tensor<32x8xf32>, %k: tensor<64x4xf32>, %v: tensor<64x16xf32>, %at: index) {
  // expected-error@below {{key must be a tile of rows of 8 elements of 'f32', got 'tensor<64x4xf32>'}}
  %r = sparse_attn.step %s ins(%q, %k, %v : tensor<32x8xf32>, tensor<64x4xf32>, tensor<64x16xf32>)
      at(%at, %at) keys(64) scale(0.25) : !sparse_attn.state<32x16xf32>
  return
}

// -----

func.func @value_type(%s: !sparse_attn.state<32x16xf32>, %q: tensor<32x8xf32>, %k: tensor<64x8xf32>, %v: tensor<64x16xf16>, %at: index) {
  // expected-error@below {{value must be a tile of rows of 16 elements of 'f32', got 'tensor<64x16xf16>'}}
  %r = sparse_attn.step %s ins(%q, %k, %v : tensor<32x8xf32>, tensor<64x8xf32>, tensor<64x16xf16>)
      at(%at, %at) keys(64) scale(0.25) : !sparse_attn.state<32x16xf32>
  return
}

// -----

func.func @cut_tile(%s: !sparse_attn.state<32x16xf32>, %q: tensor<32x8xf32>, %k: tensor<?x8xf32>, %v: tensor<?x16xf32>, %at: index) {
  // expected-error@below {{without a mask takes whole tiles of 64 keys, got 'tensor<?x8xf32>'}}
  %r = sparse_attn.step %s ins(%q, %k, %v : tensor<32x8xf32>, tensor<?x8xf32>, tensor<?x16xf32>)
      at(%at, %at) keys(64) scale(0.25) : !sparse_attn.state<32x16xf32>
  return
}

// -----

func.func @score_arguments(%s: !sparse_attn.state<32x16xf32>, %q: tensor<32x8xf32>, %k: tensor<64x8xf32>, %v: tensor<64x16xf32>, %at: index) {
  // expected-error@below {{score takes a score (f32), a batch and a head (index), and a query and a key position (i32)}}
  %r = sparse_attn.step %s ins(%q, %k, %v : tensor<32x8xf32>, tensor<64x8xf32>, tensor<64x16xf32>)
      at(%at, %at) keys(64) scale(0.25) score(%at, %at) {
      ^bb0(%x: f32, %b: index, %h: index, %i: index, %j: index):
        sparse_attn.yield %x : f32
      } : !sparse_attn.state<32x16xf32>
  return
}

// -----

func.func @score_result(%s: !sparse_attn.state<32x16xf32>, %q: tensor<32x8xf32>, %k: tensor<64x8xf32>, %v: tensor<64x16xf32>, %at: index) {
  // expected-error@below {{score yields one f32}}
  %r = sparse_attn.step %s ins(%q, %k, %v : tensor<32x8xf32>, tensor<64x8xf32>, tensor<64x16xf32>)
      at(%at, %at) keys(64) scale(0.25) score(%at, %at) {
      ^bb0(%x: f32, %b: index, %h: index, %i: i32, %j: i32):
        sparse_attn.yield %i : i32
      } : !sparse_attn.state<32x16xf32>
  return
}

// -----

func.func @score_without_head(%s: !sparse_attn.state<32x16xf32>, %q: tensor<32x8xf32>, %k: tensor<64x8xf32>, %v: tensor<64x16xf32>, %at: index) {
  // expected-error@below {{has a batch, a head and a score region, or none of them}}
  %r = "sparse_attn.step"(%s, %q, %k, %v, %at, %at, %at) <{keys = 64 : i64, scale = 0.25 : f64, operandSegmentSizes = array<i32: 1, 1, 1, 1, 1, 0, 1, 0, 0, 0, 0, 0, 1, 0>}> ({
    ^bb0(%x: f32, %b: index, %h: index, %i: i32, %j: i32):
      sparse_attn.yield %x : f32
    }, {}) : (!sparse_attn.state<32x16xf32>, tensor<32x8xf32>, tensor<64x8xf32>, tensor<64x16xf32>, index, index, index) -> !sparse_attn.state<32x16xf32>
  return
}

// -----

func.func @batch_without_score(%s: !sparse_attn.state<32x16xf32>, %q: tensor<32x8xf32>, %k: tensor<64x8xf32>, %v: tensor<64x16xf32>, %at: index) {
  // expected-error@below {{has a batch, a head and a score region, or none of them}}
  %r = "sparse_attn.step"(%s, %q, %k, %v, %at, %at, %at, %at) <{keys = 64 : i64, scale = 0.25 : f64, operandSegmentSizes = array<i32: 1, 1, 1, 1, 1, 0, 1, 0, 0, 0, 0, 0, 1, 1>}> ({}, {})
      : (!sparse_attn.state<32x16xf32>, tensor<32x8xf32>, tensor<64x8xf32>, tensor<64x16xf32>, index, index, index, index) -> !sparse_attn.state<32x16xf32>
  return
}

// -----

func.func @mask_arguments(%s: !sparse_attn.state<32x16xf32>, %q: tensor<32x8xf32>, %k: tensor<64x8xf32>, %v: tensor<64x16xf32>, %at: index) {
  // expected-error@below {{mask takes a query and a key position, both i32}}
  %r = sparse_attn.step %s ins(%q, %k, %v : tensor<32x8xf32>, tensor<64x8xf32>, tensor<64x16xf32>)
      at(%at, %at) keys(64) scale(0.25) mask {
      ^bb0(%i: index, %j: index):
        %true = arith.constant true
        sparse_attn.yield %true : i1
      } : !sparse_attn.state<32x16xf32>
  return
}

// -----

func.func @mask_result(%s: !sparse_attn.state<32x16xf32>, %q: tensor<32x8xf32>, %k: tensor<64x8xf32>, %v: tensor<64x16xf32>, %at: index) {
  // expected-error@below {{mask yields one i1}}
  %r = sparse_attn.step %s ins(%q, %k, %v : tensor<32x8xf32>, tensor<64x8xf32>, tensor<64x16xf32>)
      at(%at, %at) keys(64) scale(0.25) mask {
      ^bb0(%i: i32, %j: i32):
        sparse_attn.yield %i : i32
      } : !sparse_attn.state<32x16xf32>
  return
}

// -----

func.func @store(%s: !sparse_attn.state<32x16xf32>, %m: tensor<16xf32>, %a: tensor<32x16xf32>) {
  // expected-error@below {{expects m, l and A of the state, 'tensor<32xf32>', got 'tensor<16xf32>'}}
  %r:3 = sparse_attn.store_state %s outs(%m, %m, %a : tensor<16xf32>, tensor<16xf32>, tensor<32x16xf32>) : !sparse_attn.state<32x16xf32>
  return
}

// -----

func.func @store_trusting(%s: !sparse_attn.state<32x16xf32, trusting>, %m: tensor<32xf32>, %a: tensor<32x16xf32>) {
  // expected-error@below {{takes an exact state, got '!sparse_attn.state<32x16xf32, trusting>'; settle it first}}
  %r:3 = sparse_attn.store_state %s outs(%m, %m, %a : tensor<32xf32>, tensor<32xf32>, tensor<32x16xf32>) : !sparse_attn.state<32x16xf32, trusting>
  return
}

// -----

func.func @merge(%m: tensor<4x2x32xf32>, %a: tensor<4x2x16x32xf32>, %at: index) {
  // expected-error@below {{expects m, l and A of the state, 'tensor<4x2x32x16xf32>', got 'tensor<4x2x16x32xf32>'}}
  %s = sparse_attn.merge_stored %m, %m, %a[%at] scale(0.25)
      : tensor<4x2x32xf32>, tensor<4x2x32xf32>, tensor<4x2x16x32xf32> -> !sparse_attn.state<32x16xf32>
  return
}

// -----

func.func @merge_rank(%m: tensor<4x2x32xf32>, %a: tensor<4x2x32x16xf32>, %at: index) {
  // expected-error@below {{expects m to have 2 dimensions that are indexed, a number of parts, and rows, got 'tensor<4x2x32xf32>'}}
  %s = sparse_attn.merge_stored %m, %m, %a[%at, %at] scale(0.25)
      : tensor<4x2x32xf32>, tensor<4x2x32xf32>, tensor<4x2x32x16xf32> -> !sparse_attn.state<32x16xf32>
  return
}

// -----

func.func @merge_parts(%m: tensor<4x?x32xf32>, %a: tensor<4x2x32x16xf32>, %at: index) {
  // expected-error@below {{expects m, l and A of the state, 'tensor<4x?x32x16xf32>', got 'tensor<4x2x32x16xf32>'}}
  %s = sparse_attn.merge_stored %m, %m, %a[%at] scale(0.25)
      : tensor<4x?x32xf32>, tensor<4x?x32xf32>, tensor<4x2x32x16xf32> -> !sparse_attn.state<32x16xf32>
  return
}

// -----

func.func @is_trusted(%s: !sparse_attn.state<32x16xf32>, %rows: index) {
  // expected-error@below {{takes a trusting state, got '!sparse_attn.state<32x16xf32>'}}
  %r = sparse_attn.is_trusted %s rows(%rows) scale(0.25) : !sparse_attn.state<32x16xf32>
  return
}

// -----

func.func @restart(%s: !sparse_attn.state<32x16xf32>) {
  // expected-error@below {{takes a trusting state and gives one of the same sizes, got '!sparse_attn.state<32x16xf32>' and '!sparse_attn.state<32x16xf32>'}}
  %r = sparse_attn.restart %s : !sparse_attn.state<32x16xf32> -> !sparse_attn.state<32x16xf32>
  return
}

// -----

func.func @settle(%s: !sparse_attn.state<32x16xf32, trusting>) {
  // expected-error@below {{makes an exact state of a trusting one, got '!sparse_attn.state<32x16xf32, trusting>' and '!sparse_attn.state<32x8xf32>'}}
  %r = sparse_attn.settle %s : !sparse_attn.state<32x16xf32, trusting> -> !sparse_attn.state<32x8xf32>
  return
}

// -----

// expected-error@below {{expected 'trusting'}}
func.func private @trust(!sparse_attn.state<32x16xf32, careless>)

// -----

func.func @finish_trusting(%s: !sparse_attn.state<32x16xf32, trusting>, %o: tensor<32x16xf32>) {
  // expected-error@below {{takes an exact state, got '!sparse_attn.state<32x16xf32, trusting>'; settle it first}}
  %r = sparse_attn.finish %s scale(0.25) outs(%o : tensor<32x16xf32>) : !sparse_attn.state<32x16xf32, trusting>
  return
}

// -----

func.func @finish_output(%s: !sparse_attn.state<32x16xf32>, %o: tensor<32x8xf32>) {
  // expected-error@below {{output must be a tile of rows of 16 elements of 'f32', got 'tensor<32x8xf32>'}}
  %r = sparse_attn.finish %s scale(0.25) outs(%o : tensor<32x8xf32>) : !sparse_attn.state<32x16xf32>
  return
}

// -----

func.func @finish_lse(%s: !sparse_attn.state<32x16xf32>, %o: tensor<32x16xf32>, %l: tensor<32xf32>) {
  // expected-error@below {{has a log-sum-exp of its destination's type, or neither}}
  %r = sparse_attn.finish %s scale(0.25) outs(%o : tensor<32x16xf32>, %l : tensor<32xf32>) : !sparse_attn.state<32x16xf32>
  return
}

// -----

func.func @finish_sinks(%s: !sparse_attn.state<32x16xf32>, %o: tensor<32x16xf32>, %sinks: tensor<33xf32>) {
  // expected-error@below {{has sinks of 33 rows, of a state of 32}}
  %r = sparse_attn.finish %s scale(0.25) sink(%sinks : tensor<33xf32>) outs(%o : tensor<32x16xf32>) : !sparse_attn.state<32x16xf32>
  return
}

// -----

func.func @finish_lse_rows(%s: !sparse_attn.state<32x16xf32>, %o: tensor<32x16xf32>, %l: tensor<8xf32>) {
  // expected-error@below {{log-sum-exp must be f32, one a row of the output, got 'tensor<8xf32>'}}
  %r:2 = sparse_attn.finish %s scale(0.25) outs(%o : tensor<32x16xf32>, %l : tensor<8xf32>) : !sparse_attn.state<32x16xf32> -> tensor<8xf32>
  return
}

// -----

func.func @step_scale(%s: !sparse_attn.state<32x16xf32>, %q: tensor<32x8xf32>, %k: tensor<64x8xf32>, %v: tensor<64x16xf32>, %at: index) {
  // expected-error@below {{scale must be finite in f32, got -1.000000e+40}}
  %r = sparse_attn.step %s ins(%q, %k, %v : tensor<32x8xf32>, tensor<64x8xf32>, tensor<64x16xf32>)
      at(%at, %at) keys(64) scale(-1.0e+40) : !sparse_attn.state<32x16xf32>
  return
}

// -----

func.func @finish_scale(%s: !sparse_attn.state<32x16xf32>, %o: tensor<32x16xf32>) {
  // expected-error@below {{scale must be finite in f32, got 1.000000e+40}}
  %r = sparse_attn.finish %s scale(1.0e+40) outs(%o : tensor<32x16xf32>) : !sparse_attn.state<32x16xf32>
  return
}

// -----

func.func @trusted_scale(%s: !sparse_attn.state<32x16xf32, trusting>, %rows: index) {
  // expected-error@below {{scale must be finite in f32, got 1.000000e+40}}
  %r = sparse_attn.is_trusted %s rows(%rows) scale(1.0e+40) : !sparse_attn.state<32x16xf32, trusting>
  return
}

// -----

func.func @merge_scale(%m: tensor<2x32xf32>, %a: tensor<2x32x16xf32>) {
  // expected-error@below {{scale must be finite in f32, got 1.000000e+40}}
  %r = sparse_attn.merge_stored %m, %m, %a[] scale(1.0e+40) : tensor<2x32xf32>, tensor<2x32xf32>, tensor<2x32x16xf32> -> <32x16xf32>
  return
}

// -----

func.func @positions_size(%s: !sparse_attn.state<32x16xf32>, %q: tensor<32x8xf32>, %k: tensor<64x8xf32>, %v: tensor<64x16xf32>, %at: index, %p: tensor<32xi32>) {
  // expected-error@below {{has 64 keys, but positions 'tensor<32xi32>'}}
  %r = sparse_attn.step %s ins(%q, %k, %v : tensor<32x8xf32>, tensor<64x8xf32>, tensor<64x16xf32>)
      at(%at, %p : tensor<32xi32>) keys(64) scale(0.25) : !sparse_attn.state<32x16xf32>
  return
}

// -----

func.func @no_positions(%s: !sparse_attn.state<32x16xf32>, %q: tensor<32x8xf32>, %k: tensor<64x8xf32>, %v: tensor<64x16xf32>, %at: index) {
  // expected-error@below {{has the position of the first key or those of all keys, one of the two}}
  %r = "sparse_attn.step"(%s, %q, %k, %v, %at) <{keys = 64 : i64, scale = 0.25 : f64, operandSegmentSizes = array<i32: 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0>}> ({}, {})
      : (!sparse_attn.state<32x16xf32>, tensor<32x8xf32>, tensor<64x8xf32>, tensor<64x16xf32>, index) -> !sparse_attn.state<32x16xf32>
  return
}

// -----

func.func @row_positions_size(%s: !sparse_attn.state<32x16xf32>, %q: tensor<32x8xf32>, %k: tensor<64x8xf32>, %v: tensor<64x16xf32>, %at: index, %p: tensor<64xi32>) {
  // expected-error@below {{has 32 queries, but positions 'tensor<64xi32>'}}
  %r = sparse_attn.step %s ins(%q, %k, %v : tensor<32x8xf32>, tensor<64x8xf32>, tensor<64x16xf32>)
      at(%p : tensor<64xi32>, %at) keys(64) scale(0.25) : !sparse_attn.state<32x16xf32>
  return
}

// -----

func.func @no_row_positions(%s: !sparse_attn.state<32x16xf32>, %q: tensor<32x8xf32>, %k: tensor<64x8xf32>, %v: tensor<64x16xf32>, %at: index) {
  // expected-error@below {{has the position of the first query or those of all queries, one of the two}}
  %r = "sparse_attn.step"(%s, %q, %k, %v, %at) <{keys = 64 : i64, scale = 0.25 : f64, operandSegmentSizes = array<i32: 1, 1, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0>}> ({}, {})
      : (!sparse_attn.state<32x16xf32>, tensor<32x8xf32>, tensor<64x8xf32>, tensor<64x16xf32>, index) -> !sparse_attn.state<32x16xf32>
  return
}

// -----

func.func @no_rows_left(%k: tensor<4x8xf32>, %at: index, %p: tensor<16xi32>) {
  // expected-error@below {{has 2 indices, which leave no rows of 'tensor<4x8xf32>'}}
  %r = sparse_attn.gather_rows %k[%at, %at] at %p : tensor<4x8xf32>, tensor<16xi32> -> tensor<16x8xf32>
  return
}

// -----

func.func @rows_of_any_size(%k: tensor<4x?xf32>, %p: tensor<16xi32>) {
  // expected-error@below {{gathers a static number of rows of a static size, got 'tensor<16x?xf32>'}}
  %r = sparse_attn.gather_rows %k[] at %p : tensor<4x?xf32>, tensor<16xi32> -> tensor<16x?xf32>
  return
}

// -----

func.func @wrong_rows(%k: tensor<4x8xf32>, %p: tensor<16xi32>) {
  // expected-error@below {{gathers rows as 'tensor<16x8xf32>', got 'tensor<8x8xf32>'}}
  %r = sparse_attn.gather_rows %k[] at %p : tensor<4x8xf32>, tensor<16xi32> -> tensor<8x8xf32>
  return
}

// -----

func.func @rows_of_three_dimensions(%k: tensor<4x4x8xf32>, %p: vector<16xi32>) {
  // expected-error@below {{reads rows of a source of two dimensions, which are of a static size, got 'tensor<4x4x8xf32>'}}
  %r = sparse_attn.read_rows %k at %p : tensor<4x4x8xf32>, vector<16xi32> -> vector<16x8xf32>
  return
}

// -----

func.func @vector_of_rows_of_any_size(%k: memref<4x?xf32>, %p: vector<16xi32>) {
  // expected-error@below {{reads rows of a source of two dimensions, which are of a static size, got 'memref<4x?xf32>'}}
  %r = sparse_attn.read_rows %k at %p : memref<4x?xf32>, vector<16xi32> -> vector<16x8xf32>
  return
}

// -----

func.func @wrong_vector_of_rows(%k: tensor<4x8xf32>, %p: vector<16xi32>) {
  // expected-error@below {{reads rows as 'vector<16x8xf32>', got 'vector<8x8xf32>'}}
  %r = sparse_attn.read_rows %k at %p : tensor<4x8xf32>, vector<16xi32> -> vector<8x8xf32>
  return
}

// -----

func.func @scattered_outside(%t: tensor<16x8xf32>, %o: tensor<4x8xf32>, %p: tensor<16xi32>) {
  // expected-error@below {{stands outside of 'scf.forall.in_parallel'; it is for what iterations give to a loop's results}}
  sparse_attn.scatter_rows %t into %o[] at %p : tensor<16x8xf32>, tensor<16xi32> into tensor<4x8xf32>
  return
}

// -----

func.func @scattered_slabs(%t: tensor<16x8xf32>, %init: tensor<2x4x4x8xf32>, %p: tensor<16xi32>) -> tensor<2x4x4x8xf32> {
  %r = scf.forall (%i) in (2) shared_outs(%o = %init) -> tensor<2x4x4x8xf32> {
    scf.forall.in_parallel {
      // expected-error@below {{has 1 indices, which leave no rows of one dimension, or of none, of 'tensor<2x4x4x8xf32>'}}
      sparse_attn.scatter_rows %t into %o[%i] at %p : tensor<16x8xf32>, tensor<16xi32> into tensor<2x4x4x8xf32>
    }
  }
  return %r : tensor<2x4x4x8xf32>
}

// -----

func.func @column_of_elements(%t: tensor<16xf32>, %init: tensor<2x4xf32>, %p: tensor<16xi32>) -> tensor<2x4xf32> {
  %r = scf.forall (%i) in (2) shared_outs(%o = %init) -> tensor<2x4xf32> {
    scf.forall.in_parallel {
      // expected-error@below {{names a column, but rows of 'tensor<2x4xf32>' are elements}}
      sparse_attn.scatter_rows %t into %o[%i] column %i at %p : tensor<16xf32>, tensor<16xi32> into tensor<2x4xf32>
    }
  }
  return %r : tensor<2x4xf32>
}

// -----

func.func @scattered_too_few(%t: tensor<8x8xf32>, %init: tensor<2x4x8xf32>, %p: tensor<16xi32>) -> tensor<2x4x8xf32> {
  %r = scf.forall (%i) in (2) shared_outs(%o = %init) -> tensor<2x4x8xf32> {
    scf.forall.in_parallel {
      // expected-error@below {{writes rows of 16x8 elements of 'f32', got 'tensor<8x8xf32>'}}
      sparse_attn.scatter_rows %t into %o[%i] at %p : tensor<8x8xf32>, tensor<16xi32> into tensor<2x4x8xf32>
    }
  }
  return %r : tensor<2x4x8xf32>
}

// -----

func.func @positions_of_any_number(%t: vector<16x8xf32>, %o: memref<4x8xf32>, %p: memref<?xi32>) {
  // expected-error@below {{takes a static number of positions in i32, got 'memref<?xi32>'}}
  sparse_attn.write_rows %t into %o at %p : vector<16x8xf32>, memref<?xi32> into memref<4x8xf32>
  return
}

// -----

func.func @rows_of_slabs(%t: vector<16x8xf32>, %o: memref<2x4x8xf32>, %p: vector<16xi32>) {
  // expected-error@below {{writes rows of a buffer of one or two dimensions, got 'memref<2x4x8xf32>'}}
  sparse_attn.write_rows %t into %o at %p : vector<16x8xf32>, vector<16xi32> into memref<2x4x8xf32>
  return
}

// -----

func.func @reach_without_mask(%s: !sparse_attn.state<32x16xf32>, %q: tensor<32x8xf32>, %k: tensor<64x8xf32>, %v: tensor<64x16xf32>, %at: index, %a: i32) {
  // expected-error@below {{has a range of full rows only where it has a mask}}
  %r = sparse_attn.step %s ins(%q, %k, %v : tensor<32x8xf32>, tensor<64x8xf32>, tensor<64x16xf32>)
      at(%at, %at) keys(64) scale(0.25) reach(%a to %a) full(%a to %a) : !sparse_attn.state<32x16xf32>
  return
}

// -----

func.func @half_a_reach(%s: !sparse_attn.state<32x16xf32>, %q: tensor<32x8xf32>, %k: tensor<64x8xf32>, %v: tensor<64x16xf32>, %at: index, %a: i32) {
  // expected-error@below {{has ranges of rows with a begin and an end}}
  %r = "sparse_attn.step"(%s, %q, %k, %v, %at, %at, %a) <{keys = 64 : i64, scale = 0.25 : f64, operandSegmentSizes = array<i32: 1, 1, 1, 1, 1, 0, 1, 0, 1, 0, 0, 0, 0, 0>}> ({}, {})
      : (!sparse_attn.state<32x16xf32>, tensor<32x8xf32>, tensor<64x8xf32>, tensor<64x16xf32>, index, index, i32) -> !sparse_attn.state<32x16xf32>
  return
}

// -----

func.func @reach_of_scattered_rows(%s: !sparse_attn.state<32x16xf32>, %q: tensor<32x8xf32>, %k: tensor<64x8xf32>, %v: tensor<64x16xf32>, %at: index, %rows: tensor<32xi32>, %a: i32) {
  // expected-error@below {{has ranges of live or full rows only where rows stand one after the other}}
  %r = sparse_attn.step %s ins(%q, %k, %v : tensor<32x8xf32>, tensor<64x8xf32>, tensor<64x16xf32>)
      at(%rows : tensor<32xi32>, %at) keys(64) scale(0.25) reach(%a to %a) : !sparse_attn.state<32x16xf32>
  return
}
