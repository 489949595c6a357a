// A thread allocates its tiles once, and takes query tiles as it gets free.
//
// RUN: sparse-attn-opt %s --sparse-attn-thread-buffers | FileCheck %s

// CHECK-LABEL: func.func @parallel
// CHECK:         omp.parallel {
// CHECK-NEXT:      %[[TILE:.*]] = memref.alloca() : memref<8x8xf32>
// CHECK:           omp.wsloop schedule(dynamic) {
// CHECK:             omp.loop_nest
// CHECK-NOT:           memref.alloca
// CHECK:               memref.store %{{.*}}, %[[TILE]]
func.func @parallel(%n: index, %x: f32) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  omp.parallel {
    omp.wsloop {
      omp.loop_nest (%i) : index = (%c0) to (%n) step (%c1) {
        memref.alloca_scope {
          %tile = memref.alloca() : memref<8x8xf32>
          memref.store %x, %tile[%c0, %c0] : memref<8x8xf32>
        }
        omp.yield
      }
    }
    omp.terminator
  }
  return
}

// Without threads, to the entry of the function: no loop moves the stack.
//
// CHECK-LABEL: func.func @sequential
// CHECK-NEXT:    %[[TILE:.*]] = memref.alloca() : memref<8xf32>
// CHECK:         scf.for
// CHECK-NOT:       memref.alloca
// CHECK:           memref.store %{{.*}}, %[[TILE]]
func.func @sequential(%n: index, %x: f32) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  scf.for %i = %c0 to %n step %c1 {
    memref.alloca_scope {
      %tile = memref.alloca() : memref<8xf32>
      memref.store %x, %tile[%c0] : memref<8xf32>
    }
  }
  return
}

// What is as large as a run-time value says stays in its scope.
//
// CHECK-LABEL: func.func @dynamic
// CHECK:         scf.for
// CHECK:           memref.alloca_scope
// CHECK:             memref.alloca(%{{.*}}) : memref<?xf32>
func.func @dynamic(%n: index, %x: f32) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  scf.for %i = %c0 to %n step %c1 {
    memref.alloca_scope {
      %tile = memref.alloca(%i) : memref<?xf32>
      memref.store %x, %tile[%c0] : memref<?xf32>
    }
  }
  return
}

// A schedule that stands there stays.
//
// CHECK-LABEL: func.func @scheduled
// CHECK:         omp.wsloop schedule(static)
func.func @scheduled(%n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  omp.parallel {
    omp.wsloop schedule(static) {
      omp.loop_nest (%i) : index = (%c0) to (%n) step (%c1) {
        omp.yield
      }
    }
    omp.terminator
  }
  return
}
