// RUN: sparse-attn-opt %s --sparse-attn-byte-kernels | FileCheck %s

func.func private @f_0(%x: memref<?x4xf32>, %number: index) attributes {sparse_attn.kernel} {
  %c0 = arith.constant 0 : index
  %zero = arith.constant 0.0 : f32
  memref.store %zero, %x[%number, %c0] : memref<?x4xf32>
  return
}
func.func @f(%x: memref<?x4xf32>, %n: index) {
  scf.forall (%i) in (%n) {
    func.call @f_0(%x, %i) : (memref<?x4xf32>, index) -> ()
  }
  return
}

// CHECK:      func.func @f_0(%[[BYTES:.*]]: memref<?xi8>, %[[SIZE:.*]]: i32, %[[NUMBER:.*]]: index)
// CHECK-NEXT:   %[[ROWS:.*]] = arith.index_cast %[[SIZE]] : i32 to index
// CHECK:        %[[VIEW:.*]] = memref.view %[[BYTES]][%{{.*}}][%[[ROWS]]] : memref<?xi8> to memref<?x4xf32>
// CHECK:        memref.store %{{.*}}, %[[VIEW]][%[[NUMBER]], %{{.*}}] : memref<?x4xf32>
// CHECK-NOT:  func.func
