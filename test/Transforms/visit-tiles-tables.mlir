// Tables are constants: of where query tiles begin, of where the lists of their key tiles do,
// and of first keys. Partial tiles ask for intervals, whose ends are constants, too.
//
// RUN: sparse-attn-opt %s --sparse-attn-visit-tiles --canonicalize | FileCheck %s

!t = tensor<1x1x40x16xf32>
!u = tensor<1x1x32x16xf32>

// All rows of a query tile see the same keys.
// CHECK-LABEL: func.func @of_tiles
// CHECK-DAG:     %[[CUTS:.*]] = arith.constant dense<[0, 16, 20, 36, 40]> : tensor<5xi32>
// CHECK-DAG:     %[[OFFSETS:.*]] = arith.constant dense<[0, 1, 2, 3, 4, 5, 6, 7, 8]> : tensor<9xi32>
// CHECK-DAG:     %[[STARTS:.*]] = arith.constant dense<[16, 0, 16, 0, 36, 20, 36, 20]> : tensor<8xi32>
// CHECK-DAG:     %[[LOW:.*]] = arith.constant dense<[16, 16, 36, 36]> : tensor<4xi32>
// CHECK:         scf.forall (%{{.*}}, %{{.*}}, %[[Q:.*]]) in (1, 1, 4)
// CHECK:           tensor.extract %[[CUTS]][%[[Q]]]
// CHECK:           %[[FIRST:.*]] = tensor.extract %[[LOW]][%[[Q]]]
// CHECK:           %[[LIST:.*]] = arith.muli %[[Q]], %c2
// CHECK:           tensor.extract %[[OFFSETS]][%[[LIST]]]
// CHECK:           scf.for %[[T:[a-z0-9]+]] =
// CHECK:             tensor.extract %[[STARTS]][%[[T]]]
// CHECK:             %[[LEFT:.*]] = arith.subi %c40, %{{.*}} : index
// CHECK:             arith.minsi %[[LEFT]], %c16
// CHECK:             sparse_attn.step {{.*}} mask {
// CHECK-NEXT:        ^bb0(%{{.*}}: i32, %[[J:.*]]: i32):
// CHECK-NEXT:          %[[PLACE:.*]] = arith.subi %[[J]], %[[FIRST]]
// CHECK-NEXT:          arith.cmpi ult, %[[PLACE]], %c4_i32
// CHECK:           scf.for
// CHECK:             sparse_attn.step
// CHECK-NOT:         mask
// CHECK:           sparse_attn.finish
func.func @of_tiles(%q: !t) -> !t {
  %o = sparse_attn.attention mask(#sparse_attn.chunked<size = 20>)
      plan(<tile = [16, 16], rows = [<"0" to "40", table = [
        <0 to 16, partial = [16], full = [0]>, <16 to 20, partial = [16], full = [0]>,
        <20 to 36, partial = [36], full = [20]>, <36 to 40, partial = [36], full = [20]>]>]>)
      ins(%q, %q, %q : !t, !t, !t) outs(%q : !t) -> !t
  return %o : !t
}

// Each row has ends of its own, and so have the rows that a last tile is short of.
// CHECK-LABEL: func.func @of_rows
// CHECK-DAG:     %[[SIZES:.*]] = arith.constant dense<[1, 2, {{.*}}, 15, 16, 1, 2, {{.*}}, 15, 16, 0, {{.*}}, 0]> : tensor<48xi32>
// CHECK:         sparse_attn.step {{.*}} mask {
// CHECK-NEXT:    ^bb0(%[[I:.*]]: i32, %[[J:.*]]: i32):
// CHECK:           %[[ROW:.*]] = arith.index_cast %[[I]] : i32 to index
// CHECK:           tensor.extract %{{.*}}[%[[ROW]]] : tensor<48xi32>
// CHECK:           %[[SIZE:.*]] = tensor.extract %[[SIZES]][%[[ROW]]]
// CHECK:           arith.cmpi ult, %{{.*}}, %[[SIZE]]
func.func @of_rows(%q: !u) -> !u {
  %o = sparse_attn.attention mask(#sparse_attn.causal)
      plan(<tile = [16, 16], rows = [<"0" to "32", table = [
        <0 to 16, partial = [0]>, <16 to 32, partial = [16], full = [0]>]>]>)
      ins(%q, %q, %q : !u, !u, !u) outs(%q : !u) -> !u
  return %o : !u
}

// Every other key: too many intervals, and the mask itself is asked.
// CHECK-LABEL: func.func @of_mask
// CHECK:         sparse_attn.step {{.*}} mask {
// CHECK-NOT:       tensor.extract
// CHECK:           sparse_attn.yield
func.func @of_mask(%q: !u) -> !u {
  %o = sparse_attn.attention mask(#sparse_attn.strided<stride = 2>)
      plan(<tile = [16, 16], rows = [<"0" to "32", table = [
        <0 to 16, partial = [0, 16]>, <16 to 32, partial = [0, 16]>]>]>)
      ins(%q, %q, %q : !u, !u, !u) outs(%q : !u) -> !u
  return %o : !u
}
