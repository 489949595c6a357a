// Loops of steps that trust their operands; where the state they end with shows that
// they should not have, the tile is computed again.
//
// RUN: sparse-attn-opt %s --sparse-attn-plan="tile-queries=16 tile-keys=16" \
// RUN:   --sparse-attn-visit-tiles=heavy-splits=4 --sparse-attn-trust-steps --canonicalize \
// RUN:   | FileCheck %s
// RUN: sparse-attn-opt %s --sparse-attn-plan="tile-queries=16 tile-keys=16" \
// RUN:   --sparse-attn-visit-tiles=heavy-splits=4 --sparse-attn-trust-steps=trust=sums --canonicalize \
// RUN:   | FileCheck %s --check-prefix=SUMS

// The fallback path is one loop over the tiles of all kinds: the places of the left edge,
// of the right one, and of the full tiles, and the mask of the kind that a place is of.
//
// CHECK-LABEL: func.func @window
// CHECK:         %[[INITIAL:.*]] = sparse_attn.initial_state : <16x16xf16, trusting>
// CHECK:         %[[LEFT:.*]] = scf.for %{{.*}} = %c0 to %[[TURN:.*]] step %c1 iter_args(%{{.*}} = %[[INITIAL]])
// CHECK:           sparse_attn.step {{.*}} scale(2.500000e-01) reach({{.*}}) full({{.*}}) mask {
// CHECK:             arith.cmpi sge
// CHECK:         %[[PARTIAL:.*]] = scf.for %{{.*}} = %c0 to %[[RIGHT:.*]] step %c1 iter_args(%{{.*}} = %[[LEFT]])
// CHECK:           sparse_attn.step {{.*}} scale(2.500000e-01) reach({{.*}}) full({{.*}}) mask {
// CHECK:             arith.cmpi slt
// CHECK:         %[[STATE:.*]] = scf.for %{{.*}} = %c0 to %[[FULL:.*]] step %c1 iter_args(%{{.*}} = %[[PARTIAL]])
// CHECK:           sparse_attn.step {{.*}} scale(2.500000e-01) : <16x16xf16, trusting>
// CHECK:         %[[TRUSTED:.*]] = sparse_attn.is_trusted %[[STATE]] rows(%c16) scale(2.500000e-01)
// CHECK:         %[[RESULT:.*]] = scf.if %[[TRUSTED]] -> (!sparse_attn.state<16x16xf16>) {
// CHECK-NEXT:      %[[SETTLED:.*]] = sparse_attn.settle %[[STATE]]
// CHECK-NEXT:      scf.yield %[[SETTLED]]
// CHECK-NEXT:    } else {
// CHECK-NEXT:      %[[AGAIN:.*]] = sparse_attn.restart %[[STATE]] : <16x16xf16, trusting> -> <16x16xf16>
// CHECK-NEXT:      %[[LAST:.*]] = arith.addi %[[TURN]], %[[RIGHT]]
// CHECK-NEXT:      %[[ALL:.*]] = arith.addi %[[LAST]], %[[FULL]]
// CHECK-NEXT:      %[[EXACT:.*]] = scf.for %[[T:.*]] = %c0 to %[[ALL]] step %c1 iter_args(%{{.*}} = %[[AGAIN]])
// CHECK:             %[[LATE:.*]] = arith.cmpi sge, %[[T]], %[[TURN]]
// CHECK:             %[[LATEST:.*]] = arith.cmpi sge, %[[T]], %[[LAST]]
// CHECK:             %[[KEY:.*]] = scf.if %[[LATE]]
// CHECK:               scf.if %[[LATEST]]
// CHECK:                 arith.subi %[[T]], %[[LAST]]
// CHECK:               } else {
// CHECK:                 arith.subi %[[T]], %[[TURN]]
// CHECK:             } else {
// CHECK:             tensor.extract_slice %{{.*}}[0, 0, %[[KEY]], 0]
// CHECK:             tensor.extract_slice %{{.*}}[0, 0, %[[KEY]], 0]
// CHECK-NEXT:        sparse_attn.step {{.*}} at(%{{.*}}, %[[KEY]]) keys(16) scale(2.500000e-01) mask {
// CHECK:               %[[FROM:.*]] = arith.cmpi sge
// CHECK:               %[[BELOW:.*]] = arith.cmpi slt
// CHECK-NEXT:          %[[BEHIND:.*]] = arith.select %[[LATEST]], %true, %[[BELOW]]
// CHECK-NEXT:          %[[LIVE:.*]] = arith.select %[[LATE]], %[[BEHIND]], %[[FROM]]
// CHECK-NEXT:          sparse_attn.yield %[[LIVE]]
// CHECK-NOT:       scf.for
// CHECK:           scf.yield %[[EXACT]]
// CHECK:         sparse_attn.finish %[[RESULT]]
//
// No sum of f16 is too large.
//
// SUMS-LABEL: func.func @window
// SUMS:         scf.for {{.*}} -> (!sparse_attn.state<16x16xf16, trusting>)
// SUMS:         %[[SETTLED:.*]] = sparse_attn.settle
// SUMS-NOT:     sparse_attn.is_trusted
// SUMS:         sparse_attn.finish %[[SETTLED]]
func.func @window(%q: tensor<1x1x64x16xf16>, %k: tensor<1x1x64x16xf16>,
                  %v: tensor<1x1x64x16xf16>) -> tensor<1x1x64x16xf16> {
  %init = tensor.empty() : tensor<1x1x64x16xf16>
  %o = sparse_attn.attention mask(#sparse_attn.sliding_window<left = 20, right = 20>)
      ins(%q, %k, %v : tensor<1x1x64x16xf16>, tensor<1x1x64x16xf16>, tensor<1x1x64x16xf16>)
      outs(%init : tensor<1x1x64x16xf16>) -> tensor<1x1x64x16xf16>
  return %o : tensor<1x1x64x16xf16>
}

// Parts end with a state that is stored, and are tested each; the merge takes no step,
// so that nothing is there to trust.
//
// CHECK-LABEL: func.func @parts
// CHECK:         scf.forall {{.*}} in (1, 1, 4, 4)
// CHECK:           sparse_attn.step {{.*}} trusting
// CHECK:           %[[RESULT:.*]] = scf.if
// CHECK:             sparse_attn.step {{.*}} scale({{.*}}) mask
// CHECK:           sparse_attn.store_state %[[RESULT]]
// CHECK:         scf.forall
// CHECK-NOT:       sparse_attn.is_trusted
// CHECK:           sparse_attn.finish
func.func @parts(%q: tensor<1x1x60x16xf16>) -> tensor<1x1x60x16xf16> {
  %init = tensor.empty() : tensor<1x1x60x16xf16>
  %o = sparse_attn.attention mask(#sparse_attn.full)
      plan(<tile = [16, 16], rows = [<"0" to "60", heavy = true,
                                      segments = [<full "0" to "3">, <partial "3" to "4">]>]>)
      ins(%q, %q, %q : tensor<1x1x60x16xf16>, tensor<1x1x60x16xf16>, tensor<1x1x60x16xf16>)
      outs(%init : tensor<1x1x60x16xf16>) -> tensor<1x1x60x16xf16>
  return %o : tensor<1x1x60x16xf16>
}

// Where only sums are trusted, the same loops run once more.
//
// SUMS-LABEL: func.func @single
// SUMS:         %[[INITIAL:.*]] = sparse_attn.initial_state : <16x16xf32, trusting>
// SUMS:         %[[STATE:.*]] = scf.while (%[[START:.*]] = %[[INITIAL]])
// SUMS:           %[[LEFT:.*]] = scf.for {{.*}} iter_args(%{{.*}} = %[[START]])
// SUMS:           %[[PARTIAL:.*]] = scf.for {{.*}} iter_args(%{{.*}} = %[[LEFT]])
// SUMS:           %[[END:.*]] = scf.for {{.*}} iter_args(%{{.*}} = %[[PARTIAL]])
// SUMS:           %[[TRUSTED:.*]] = sparse_attn.is_trusted %[[END]]
// SUMS:           %[[AGAIN:.*]] = arith.xori %[[TRUSTED]], %true
// SUMS:           scf.condition(%[[AGAIN]]) %[[END]]
// SUMS:         } do {
// SUMS-NEXT:    ^bb0(%[[BEFORE:.*]]: !sparse_attn.state<16x16xf32, trusting>):
// SUMS-NEXT:      %[[RESTARTED:.*]] = sparse_attn.restart %[[BEFORE]]
// SUMS-NEXT:      scf.yield %[[RESTARTED]]
// SUMS:         %[[SETTLED:.*]] = sparse_attn.settle %[[STATE]]
// SUMS:         sparse_attn.finish %[[SETTLED]]
func.func @single(%q: tensor<1x1x64x16xf32>, %k: tensor<1x1x64x16xf32>,
                  %v: tensor<1x1x64x16xf32>) -> tensor<1x1x64x16xf32> {
  %init = tensor.empty() : tensor<1x1x64x16xf32>
  %o = sparse_attn.attention mask(#sparse_attn.sliding_window<left = 20, right = 20>)
      ins(%q, %k, %v : tensor<1x1x64x16xf32>, tensor<1x1x64x16xf32>, tensor<1x1x64x16xf32>)
      outs(%init : tensor<1x1x64x16xf32>) -> tensor<1x1x64x16xf32>
  return %o : tensor<1x1x64x16xf32>
}

// A loop alone, and loops that have no mask, are repeated as they are.
//
// CHECK-LABEL: func.func @one_loop
// CHECK:         scf.for {{.*}} -> (!sparse_attn.state<16x16xf32, trusting>)
// CHECK:         scf.if
// CHECK:           %[[AGAIN:.*]] = sparse_attn.restart
// CHECK-NEXT:      scf.for {{.*}} iter_args(%{{.*}} = %[[AGAIN]])
// CHECK-NOT:         scf.if
// CHECK:             sparse_attn.step {{.*}} : <16x16xf32>
func.func @one_loop(%q: tensor<1x1x32x16xf32>) -> tensor<1x1x32x16xf32> {
  %init = tensor.empty() : tensor<1x1x32x16xf32>
  %o = sparse_attn.attention mask(#sparse_attn.full)
      ins(%q, %q, %q : tensor<1x1x32x16xf32>, tensor<1x1x32x16xf32>, tensor<1x1x32x16xf32>)
      outs(%init : tensor<1x1x32x16xf32>) -> tensor<1x1x32x16xf32>
  return %o : tensor<1x1x32x16xf32>
}

// Tiles of a layout have a loop of their own on the fallback path, behind the one of all
// contiguous tiles.
//
// CHECK-LABEL: func.func @layouts
// CHECK:         %[[TRUSTED:.*]] = sparse_attn.is_trusted
// CHECK:         scf.if %[[TRUSTED]]
// CHECK:         } else {
// CHECK:           %[[CONTIGUOUS:.*]] = scf.for
// CHECK:             sparse_attn.step {{.*}} keys(16) {{.*}} mask {
// CHECK:           %[[K:.*]] = sparse_attn.gather_rows
// CHECK:           %[[EXACT:.*]] = sparse_attn.step %[[CONTIGUOUS]] ins(%{{.*}}, %[[K]], {{.*}} at(%{{.*}}, %{{.*}} : tensor<16xi32>) keys(16) {{.*}} mask {
// CHECK:           scf.yield %[[EXACT]]
func.func @layouts(%q: tensor<1x1x64x16xf16>) -> tensor<1x1x64x16xf16> {
  %init = tensor.empty() : tensor<1x1x64x16xf16>
  %o = sparse_attn.attention mask(#sparse_attn.union<#sparse_attn.prefix<length = 20>,
                                    #sparse_attn.global<tokens = [30, 40], direction = columns>>)
      plan(<tile = [16, 16], rows = [<"0" to "64", segments = [
             <partial "0" to "1" of list<[30, 40], width = 1, tile = 16> where "j < nk">,
             <full "0" to "1">, <partial "1" to "2" where "j < 20">]>]>)
      ins(%q, %q, %q : tensor<1x1x64x16xf16>, tensor<1x1x64x16xf16>, tensor<1x1x64x16xf16>)
      outs(%init : tensor<1x1x64x16xf16>) -> tensor<1x1x64x16xf16>
  return %o : tensor<1x1x64x16xf16>
}
