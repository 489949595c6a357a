// RUN: sparse-attn-opt %s --sparse-attn-loops-to-kernels --canonicalize | FileCheck %s

func.func @f(%x: memref<?x4xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c4 = arith.constant 4 : index
  %zero = arith.constant 0.0 : f32
  %n = memref.dim %x, %c0 : memref<?x4xf32>
  scf.parallel (%i, %j) = (%c0, %c0) to (%n, %c4) step (%c1, %c1) {
    memref.store %zero, %x[%i, %j] : memref<?x4xf32>
  }
  return
}

// CHECK:      func.func private @f_0(%[[BUFFER:.*]]: memref<?x4xf32>, %[[NUMBER:.*]]: index) attributes {sparse_attn.kernel}
// CHECK-DAG:    %[[I:.*]] = arith.divsi %[[NUMBER]], %c4 : index
// CHECK-DAG:    %[[J:.*]] = arith.remsi %[[NUMBER]], %c4 : index
// CHECK:        memref.store %{{.*}}, %[[BUFFER]][%[[I]], %[[J]]]
// CHECK:      func.func @f(%[[X:.*]]: memref<?x4xf32>)
// CHECK:        %[[N:.*]] = memref.dim %[[X]], %c0
// CHECK-NEXT:   %[[COUNT:.*]] = arith.muli %[[N]], %c4 : index
// CHECK-NEXT:   scf.forall (%[[K:.*]]) in (%[[COUNT]]) {
// CHECK-NEXT:     func.call @f_0(%[[X]], %[[K]]) : (memref<?x4xf32>, index) -> ()
