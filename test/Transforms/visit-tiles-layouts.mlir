// Tiles of layouts are gathered row by row, and their masks ask at the positions that they
// were gathered from; tiles have the layout's size.
//
// RUN: sparse-attn-opt %s --sparse-attn-visit-tiles --canonicalize | FileCheck %s

!t = tensor<1x1x64x16xf32>

// The positions of tile t: 8 r + 6 + x mod 2 for slots x from 8 t on, in runs r = x / 2.
// CHECK-LABEL: func.func @lattice
// CHECK:         scf.for %[[T:[a-z0-9]+]] = %c0 to
// CHECK:           %[[TILE:.*]] = arith.muli %[[T]], %c8
// CHECK:           %[[FIRST:.*]] = arith.index_cast %[[TILE]] : index to i32
// CHECK:           %[[POSITIONS:.*]] = linalg.generic {{.*}} outs(%{{.*}} : tensor<8xi32>)
// CHECK:             %[[I:.*]] = linalg.index 0
// CHECK:             %[[M:.*]] = arith.index_cast %[[I]] : index to i32
// CHECK:             %[[X:.*]] = arith.addi %[[FIRST]], %[[M]]
// CHECK:             %[[R:.*]] = arith.divui %[[X]], %c2_i32
// CHECK:             %[[BEFORE:.*]] = arith.muli %[[R]], %c2_i32
// CHECK:             %[[REST:.*]] = arith.subi %[[X]], %[[BEFORE]]
// CHECK:             %[[LEAST:.*]] = arith.minui %[[R]], %c134217728_i32
// CHECK:             %[[GAPS:.*]] = arith.muli %[[LEAST]], %c8_i32
// CHECK:             %[[START:.*]] = arith.addi %[[GAPS]], %c6_i32
// CHECK:             arith.addi %[[START]], %[[REST]]
// CHECK:           %[[K:.*]] = sparse_attn.gather_rows %{{.*}}[%{{.*}}, %{{.*}}] at %[[POSITIONS]] : tensor<1x1x64x16xf32>, tensor<8xi32> -> tensor<8x16xf32>
// CHECK:           %[[V:.*]] = sparse_attn.gather_rows
// CHECK:           sparse_attn.step %{{.*}} ins(%{{.*}}, %[[K]], %[[V]] : {{.*}}) at(%{{.*}}, %[[POSITIONS]] : tensor<8xi32>) keys(8)
// CHECK-NOT:       mask
func.func @lattice(%q: !t) -> !t {
  %o = sparse_attn.attention mask(#sparse_attn.periodic_columns<period = 8, last = 2>)
      plan(<tile = [16, 16], rows = [<"0" to "64", segments = [
             <full "0" to "2" of lattice<step = 8, width = 2, shift = 6, tile = 8>>]>]>)
      ins(%q, %q, %q : !t, !t, !t) outs(%q : !t) -> !t
  return %o : !t
}

// Slots past the end of a list stand where no key does. Each layout has loops of its own.
// CHECK-LABEL: func.func @list
// CHECK-DAG:     %[[LIST:.*]] = arith.constant dense<[5, 6, 40, 41, 50, 51, 1073741824, 1073741824]> : tensor<8xi32>
// CHECK:         sparse_attn.step {{.*}} keys(16) {{.*}} mask {
// CHECK:         scf.for %[[T:[a-z0-9]+]] =
// CHECK:           %[[FIRST:.*]] = arith.muli %[[T]], %c4
// CHECK:           %[[POSITIONS:.*]] = tensor.extract_slice %[[LIST]][%[[FIRST]]] [4] [1]
// CHECK:           sparse_attn.step {{.*}} at(%{{.*}}, %[[POSITIONS]] : tensor<4xi32>) keys(4) {{.*}} mask {
// CHECK-NEXT:      ^bb0(%[[I:.*]]: i32, %[[J:.*]]: i32):
// CHECK-NEXT:        arith.cmpi slt, %[[J]], %c64_i32
func.func @list(%q: !t) -> !t {
  %o = sparse_attn.attention mask(#sparse_attn.union<#sparse_attn.prefix<length = 5>,
                                    #sparse_attn.global<tokens = [5, 6, 40, 41, 50, 51], direction = columns>>)
      plan(<tile = [16, 16], rows = [<"0" to "64", segments = [
             <partial "0" to "1" where "j < 5">,
             <partial "0" to "2" of list<[5, 40, 50], width = 2, tile = 4> where "j < nk">]>]>)
      ins(%q, %q, %q : !t, !t, !t) outs(%q : !t) -> !t
  return %o : !t
}
