// RUN: sparse-attn-opt %s --sparse-attn-thread-buffers | FileCheck %s

func.func @tiles(%n: index, %x: f32) {
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

// CHECK:      omp.parallel {
// CHECK-NEXT:   %[[TILE:.*]] = memref.alloca() : memref<8x8xf32>
// CHECK-NEXT:   omp.wsloop schedule(dynamic) {
// CHECK-NEXT:     omp.loop_nest (%[[I:.*]]) : index = (%c0) to (%{{.*}}) step (%c1) {
// CHECK:            memref.store %{{.*}}, %[[TILE]][%c0, %c0] : memref<8x8xf32>
