// Tables are constants: of where query tiles begin, of where the lists of their key tiles do,
// and of first keys. Partial tiles ask for intervals, whose ends are constants, too, and so are
// the rows that have a live pair in them, or all.
//
// RUN: sparse-attn-opt %s --sparse-attn-visit-tiles --canonicalize | FileCheck %s
//
// What tells the rows of a tile stays out of the loop of exact steps, which is one.
// RUN: sparse-attn-opt %s --sparse-attn-visit-tiles --sparse-attn-trust-steps=trust=operands \
// RUN:   --canonicalize | FileCheck %s --check-prefix=AGAIN
// AGAIN-LABEL: func.func @of_rows
// AGAIN:         sparse_attn.is_trusted
// AGAIN:         scf.for
// AGAIN:           sparse_attn.step
// AGAIN-NOT:       reach
// AGAIN-SAME:      mask {
// AGAIN-NOT:     scf.for
// AGAIN:         sparse_attn.finish

!t = tensor<1x1x40x16xf32>
!u = tensor<1x1x32x16xf32>

// All rows of a query tile see the same keys. No query tile is short of a warp's rows.
// CHECK-LABEL: func.func @of_tiles
// CHECK-DAG:     %[[REACH:.*]] = arith.constant dense<[0, 16, 0, 0, 0, 4, 0, 0, 0, 16, 0, 0, 0, 4, 0, 0]> : tensor<16xi32>
// CHECK-DAG:     %[[CUTS:.*]] = arith.constant dense<[0, 16, 20, 36, 40]> : tensor<5xi32>
// CHECK-DAG:     %[[OFFSETS:.*]] = arith.constant dense<[0, 1, 2, 3, 4, 5, 6, 7, 8]> : tensor<9xi32>
// CHECK-DAG:     %[[STARTS:.*]] = arith.constant dense<[16, 0, 16, 0, 36, 20, 36, 20]> : tensor<8xi32>
// CHECK-DAG:     %[[LOW:.*]] = arith.constant dense<[0, 0, 20, 20]> : tensor<4xi32>
// CHECK:         scf.forall (%{{.*}}, %{{.*}}, %[[Q:.*]]) in (1, 1, 4)
// CHECK:           tensor.extract %[[CUTS]][%[[Q]]]
// CHECK:           %[[FIRST:.*]] = tensor.extract %[[LOW]][%[[Q]]]
// CHECK:           %[[LIST:.*]] = arith.muli %[[Q]], %c2
// CHECK:           tensor.extract %[[OFFSETS]][%[[LIST]]]
// CHECK:           scf.for %[[T:[a-z0-9]+]] =
// CHECK:             tensor.extract %[[STARTS]][%[[T]]]
// CHECK:             %[[LEFT:.*]] = arith.subi %c40, %{{.*}} : index
// CHECK:             arith.minsi %[[LEFT]], %c16
// CHECK:             %[[ENTRY:.*]] = arith.muli %[[T]], %c2
// CHECK:             %[[ROW:.*]] = tensor.extract %[[REACH]][%[[ENTRY]]]
// CHECK:             %[[LIVE:.*]] = arith.addi %{{.*}}, %[[ROW]]
// CHECK:             sparse_attn.step {{.*}} reach(%[[LIVE]] to %{{.*}}) mask {
// CHECK-NEXT:        ^bb0(%{{.*}}: i32, %[[J:.*]]: i32):
// CHECK-NEXT:          %[[PLACE:.*]] = arith.subi %[[J]], %[[FIRST]]
// CHECK-NEXT:          arith.cmpi ult, %[[PLACE]], %c20_i32
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

// The last key moves with the row, and tiles on the diagonal have rows with all pairs.
// CHECK-LABEL: func.func @slanted
// CHECK-DAG:     %[[FIXED:.*]] = arith.constant dense<[16, 32]> : tensor<2xi32>
// CHECK-DAG:     %[[REACH:.*]] = arith.constant dense<[0, 16, 15, 16, 0, 16, 15, 16, 0, 0, 0, 0]> : tensor<12xi32>
// CHECK:         %[[END:.*]] = tensor.extract %[[FIXED]]
// CHECK:         scf.for
// CHECK:           %[[ROW:.*]] = tensor.extract %[[REACH]][%{{.*}}] : tensor<12xi32>
// CHECK:           %[[LIVE:.*]] = arith.addi %{{.*}}, %[[ROW]]
// CHECK:           sparse_attn.step {{.*}} reach(%[[LIVE]] to %{{.*}}) full(%{{.*}} to %{{.*}}) mask {
// CHECK-NEXT:      ^bb0(%[[I:.*]]: i32, %[[J:.*]]: i32):
// CHECK-NEXT:        %[[NEXT:.*]] = arith.addi %[[I]], %c1_i32
// CHECK-NEXT:        %[[HIGH:.*]] = arith.minsi %[[END]], %[[NEXT]]
// CHECK-NEXT:        %[[SIZE:.*]] = arith.maxsi %[[HIGH]], %c0_i32
// CHECK-NEXT:        arith.cmpi ult, %[[J]], %[[SIZE]]
func.func @slanted(%q: !u) -> !u {
  %o = sparse_attn.attention mask(#sparse_attn.causal)
      plan(<tile = [16, 16], rows = [<"0" to "32", table = [
        <0 to 16, partial = [0]>, <16 to 32, partial = [16], full = [0]>]>]>)
      ins(%q, %q, %q : !u, !u, !u) outs(%q : !u) -> !u
  return %o : !u
}

// Each row has ends of its own, and so have the rows that a last tile is short of. Where query
// tiles have so few rows, full tiles are told which.
// CHECK-LABEL: func.func @of_rows
// CHECK-DAG:     %[[SIZES:.*]] = arith.constant dense<[20, {{.*}}, 20, 12, {{.*}}, 12, 0, {{.*}}, 0]> : tensor<64xi32>
// CHECK:         sparse_attn.step {{.*}} mask {
// CHECK-NEXT:    ^bb0(%[[I:.*]]: i32, %[[J:.*]]: i32):
// CHECK:           %[[ROW:.*]] = arith.index_cast %[[I]] : i32 to index
// CHECK:           tensor.extract %{{.*}}[%[[ROW]]] : tensor<64xi32>
// CHECK:           %[[SIZE:.*]] = tensor.extract %[[SIZES]][%[[ROW]]]
// CHECK:           arith.cmpi ult, %{{.*}}, %[[SIZE]]
// CHECK:         sparse_attn.step {{.*}} reach(%{{.*}} to %{{.*}}) : <32x16xf32>
func.func @of_rows(%q: !u) -> !u {
  %o = sparse_attn.attention mask(#sparse_attn.chunked<size = 20>)
      plan(<tile = [32, 8], rows = [<"0" to "32", table = [
        <0 to 10, partial = [16], full = [0, 8]>, <10 to 32, partial = [0, 8, 16, 24]>]>]>)
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
