// Bounds of plans are parameters: they are parsed once, print in their
// canonical form, and are the same attribute however they were spelled.
//
// RUN: sparse-attn-opt %s | FileCheck %s
// RUN: sparse-attn-opt %s | sparse-attn-opt | FileCheck %s

// CHECK-LABEL: func.func private @canonical
// CHECK-SAME:    a = #sparse_attn.segment<full "q * 3" to "min(q * 3 + 2, nk floordiv 4)">
// CHECK-SAME:    b = #sparse_attn.segment<full "q * 3" to "min(q * 3 + 2, nk floordiv 4)">
// CHECK-SAME:    c = #sparse_attn.segment<partial "0" to "q" when "min(q - 3, nk - 8) > 0">
// CHECK-SAME:    d = #sparse_attn.draw<full <block = 64, blocks_per_row = 3> "0" to "q" when "nk - 8 > 0">
// CHECK-SAME:    e = #sparse_attn.segment<partial "0" to "q" where "j >= i floordiv 8 * 8 - 3 or i >= 2 and j < nk">
// CHECK-SAME:    f = #sparse_attn.segment<partial "0" to "q" when "q - 1 > 0" where "j - i mod 4 in 0 to 1">
// CHECK-SAME:    g = #sparse_attn.segment<full "0" to "q" of lattice<step = 128, width = 8, shift = 120, tile = 32>>
// CHECK-SAME:    h = #sparse_attn.segment<partial "0" to "1" when "q - 1 > 0" of list<[5, 77], width = 1, tile = 16> where "j < i - 256">
// CHECK-SAME:    i = #sparse_attn.rows<"0" to "2" of list<[5, 77], width = 1, tile = 16>, heavy = true, segments = [<full "0" to "nk floordiv 16">]>
// CHECK-SAME:    j = #sparse_attn.rows<"0" to "nk floordiv 9" of lattice<step = 9, width = 1, shift = 8, tile = 16>>
// CHECK-SAME:    k = #sparse_attn.segment<partial "0" to "q" where "i in {3, 5 to 9} and j - nk not in {-4} or j in {0, 7}">
func.func private @canonical() attributes {
  k = #sparse_attn.segment<partial "0" to "q" where "i in {3,5 to 9} and j - nk not in { -4 } or j in {0, 7 to 8}">,
  i = #sparse_attn.rows<"0" to "1 + 1" of list<[5, 77], width = 1, tile = 16>, heavy = true, segments = [<full "0" to "nk floordiv 16">]>,
  j = #sparse_attn.rows<"0" to "nk floordiv 9" of lattice<step = 9, width = 1, shift = 8, tile = 16>>,
  h = #sparse_attn.segment<partial "0" to "1" when "q - 1 > 0" of list<[5, 77], width = 1, tile = 16> where "j < i - 256">,
  g = #sparse_attn.segment<full "0" to "q" of lattice<step = 128, width = 8, shift = 120, tile = 32>>,
  e = #sparse_attn.segment<partial "0" to "q" where "j>=i floordiv 8*8-3 or j < nk and i >= 1 + 1">,
  f = #sparse_attn.segment<partial "0" to "q" when "q - 1 > 0" where "j - i mod 4 in 0 to 1">,
  c = #sparse_attn.segment<partial "0" to "q" when "min(nk - 8, q - 3)>0">,
  d = #sparse_attn.draw<full <block = 64, blocks_per_row = 3> "0" to "q" when "nk-8 > 0">,
  a = #sparse_attn.segment<full "q + q * 2" to "min(nk floordiv 4, 3 * q + 1 + 1)">,
  b = #sparse_attn.segment<full "q*3" to "min(q * 3 + 2, (nk * 16) floordiv 64)">}
