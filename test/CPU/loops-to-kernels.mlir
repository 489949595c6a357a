// RUN: sparse-attn-opt %s --sparse-attn-loops-to-kernels --canonicalize --split-input-file | FileCheck %s

// Ops between loops are one kernel of one workgroup; what is on the host's stack
// becomes a buffer, and what a kernel allocates and frees is on its own stack.
//
// CHECK-LABEL: func.func private @between_0(
// CHECK-SAME:      %[[SHARED:.*]]: memref<4xf32>, %{{.*}}: index)
// CHECK:         memref.store
// CHECK:         memref.store
// CHECK-LABEL: func.func private @between_1(
// CHECK:         %[[STACK:.*]] = memref.alloca() : memref<4xf32>
// CHECK:         memref.copy %{{.*}}, %[[STACK]]
// CHECK-NOT:     memref.dealloc
// CHECK-LABEL: func.func @between(
// CHECK:         %[[BUFFER:.*]] = memref.alloc() : memref<4xf32>
// CHECK:         call @between_0(%[[BUFFER]], %{{.*}})
// CHECK:         scf.forall (%{{.*}}) in (8)
// CHECK-NEXT:      func.call @between_1(%[[BUFFER]], %{{.*}}, %{{.*}})
func.func @between(%x: memref<4xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c8 = arith.constant 8 : index
  %zero = arith.constant 0.0 : f32
  %shared = memref.alloca() : memref<4xf32>
  memref.store %zero, %shared[%c0] : memref<4xf32>
  memref.store %zero, %shared[%c1] : memref<4xf32>
  scf.parallel (%i) = (%c0) to (%c8) step (%c1) {
    %own = memref.alloc() : memref<4xf32>
    memref.copy %shared, %own : memref<4xf32> to memref<4xf32>
    memref.copy %own, %x : memref<4xf32> to memref<4xf32>
    memref.dealloc %own : memref<4xf32>
  }
  return
}

// -----

// Bounds and steps are those of the loop; names are free ones.
//
// CHECK-LABEL: func.func private @bounds_1(
// CHECK-SAME:      %[[X:.*]]: memref<?xf32>, %[[NUMBER:.*]]: index)
// CHECK:         %[[PLACE:.*]] = arith.muli %[[NUMBER]], %c3 : index
// CHECK:         %[[I:.*]] = arith.addi %[[PLACE]], %c2 : index
// CHECK:         memref.store %{{.*}}, %[[X]][%[[I]]]
// CHECK-LABEL: func.func @bounds(
// CHECK:         %[[LENGTH:.*]] = arith.subi %{{.*}}, %c2 : index
// CHECK:         %[[COUNT:.*]] = arith.ceildivsi %[[LENGTH]], %c3 : index
// CHECK:         scf.forall (%{{.*}}) in (%[[COUNT]])
// CHECK-NEXT:      func.call @bounds_1
func.func private @bounds_0()
func.func @bounds(%x: memref<?xf32>) {
  %c0 = arith.constant 0 : index
  %c2 = arith.constant 2 : index
  %c3 = arith.constant 3 : index
  %zero = arith.constant 0.0 : f32
  %n = memref.dim %x, %c0 : memref<?xf32>
  scf.parallel (%i) = (%c2) to (%n) step (%c3) {
    memref.store %zero, %x[%i] : memref<?xf32>
  }
  return
}

// -----

// What gives a value to others stays.
//
// CHECK-LABEL: func.func private @value_0(
// CHECK-SAME:      %{{.*}}: f32, %{{.*}}: memref<f32>, %{{.*}}: index)
// CHECK-LABEL: func.func @value(
// CHECK:         %[[VALUE:.*]] = memref.load
// CHECK:         func.call @value_0(%[[VALUE]], %{{.*}}, %{{.*}})
func.func @value(%x: memref<f32>, %y: memref<f32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c8 = arith.constant 8 : index
  %value = memref.load %x[] : memref<f32>
  scf.parallel (%i) = (%c0) to (%c8) step (%c1) {
    memref.store %value, %y[] : memref<f32>
  }
  return
}
