// Results go into buffers of the caller, without a copy where the function
// allocates them.
//
// RUN: sparse-attn-opt %s --sparse-attn-results-to-arguments | FileCheck %s
// RUN: sparse-attn-opt %s --sparse-attn-results-to-arguments --verify-diagnostics -o /dev/null

// An allocation becomes an argument, under the result's type; a result that is an
// argument stays where it is, and equal results are one argument.
//
// CHECK-LABEL: func.func @all
// CHECK-SAME:    (%[[IN:.*]]: memref<4xf32>, %[[OUT:.*]]: memref<?xf32>)
// CHECK-SAME:    sparse_attn.buffers = (memref<4xf32>, memref<?xf32>) -> ()
// CHECK-SAME:    sparse_attn.result_places = array<i64: 0, 1, 1>
// CHECK-NOT:     memref.alloc
// CHECK:         %[[CAST:.*]] = memref.cast %[[OUT]] : memref<?xf32> to memref<4xf32>
// CHECK:         memref.store %{{.*}}, %[[CAST]]
// CHECK-NOT:     memref.copy
// CHECK:         return{{$}}
func.func @all(%in: memref<4xf32>)
    -> (memref<?xf32>, memref<?xf32>, memref<4xf32>) {
  %c0 = arith.constant 0 : index
  %x = memref.load %in[%c0] : memref<4xf32>
  %alloc = memref.alloc() : memref<4xf32>
  memref.store %x, %alloc[%c0] : memref<4xf32>
  %0 = memref.cast %in : memref<4xf32> to memref<?xf32>
  %1 = memref.cast %alloc : memref<4xf32> to memref<?xf32>
  return %0, %1, %alloc : memref<?xf32>, memref<?xf32>, memref<4xf32>
}

// What the function has not allocated itself is copied.
//
// CHECK-LABEL: func.func @copied
// CHECK-SAME:    (%[[OUT:.*]]: memref<4xf32>)
// CHECK-SAME:    result_places = array<i64: 0>
// CHECK:         %[[CONST:.*]] = memref.get_global @constant
// CHECK:         memref.copy %[[CONST]], %[[OUT]]
memref.global constant @constant : memref<4xf32> = dense<1.0>
func.func @copied() -> memref<4xf32> {
  // expected-remark@below {{is copied into the caller's memory, as it is no allocation of the function itself; return what attention in the function's own block gives}}
  %0 = memref.get_global @constant : memref<4xf32>
  return %0 : memref<4xf32>
}

// A function that the module calls keeps its results, for its callers.
//
// CHECK-LABEL: func.func @called() -> memref<4xf32>
// CHECK:         return %{{.*}} : memref<4xf32>
func.func @called() -> memref<4xf32> {
  %alloc = memref.alloc() : memref<4xf32>
  return %alloc : memref<4xf32>
}

// CHECK-LABEL: func.func @caller
// CHECK-SAME:    (%[[OUT:.*]]: memref<4xf32>)
// CHECK:         %[[RESULT:.*]] = call @called()
// CHECK:         memref.copy %[[RESULT]], %[[OUT]]
func.func @caller() -> memref<4xf32> {
  // expected-remark@below {{is copied into the caller's memory, as it is no allocation of the function itself}}
  %0 = call @called() : () -> memref<4xf32>
  return %0 : memref<4xf32>
}

// CHECK-LABEL: func.func private @external() -> memref<4xf32>
func.func private @external() -> memref<4xf32>

// What is said of arguments and results stays said of them.
//
// CHECK-LABEL: func.func @attributes
// CHECK-SAME:    (%{{.*}}: memref<4xf32> {my.both, my.in = 1 : i64}, %{{.*}}: memref<4xf32> {my.out})
func.func @attributes(%in: memref<4xf32> {my.in = 1 : i64})
    -> (memref<4xf32> {my.out}, memref<4xf32> {my.both, my.in = 2 : i64}) {
  %alloc = memref.alloc() : memref<4xf32>
  return %alloc, %in : memref<4xf32>, memref<4xf32>
}

// An allocation for one side of a branch is not the function's result alone.
//
// CHECK-LABEL: func.func @branch
// CHECK:         memref.copy
func.func @branch(%c: i1, %in: memref<4xf32>) -> memref<4xf32> {
  // expected-remark@below {{is copied into the caller's memory}}
  %r = scf.if %c -> memref<4xf32> {
    %alloc = memref.alloc() : memref<4xf32>
    scf.yield %alloc : memref<4xf32>
  } else {
    scf.yield %in : memref<4xf32>
  }
  return %r : memref<4xf32>
}
