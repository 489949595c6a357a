// Of a plan for few blocks, the number of parts follows from the device, the
// number of query tiles and the keys, and each part visits a share of the
// sequence of tiles.
//
// RUN: sparse-attn-opt %s --sparse-attn-visit-tiles --canonicalize --cse | FileCheck %s
// RUN: sparse-attn-opt %s --sparse-attn-visit-tiles --sparse-attn-set-sm-count="count=132" --canonicalize --cse | FileCheck %s --check-prefix=KNOWN

#plan = #sparse_attn.plan<tile = [16, 64], few_blocks = true, rows = [
    <"0" to "nq", heavy = true, segments = [<full "0" to "nk floordiv 64">, <partial "nk floordiv 64" to "(nk + 63) floordiv 64">]>]>
!q = tensor<1x8x1x64xf32>
!k = tensor<1x8x?x64xf32>

func.func @parts(%q: !q, %k: !k, %v: !k) -> !q {
  %o = sparse_attn.attention mask(#sparse_attn.full) plan(#plan)
      ins(%q, %k, %v : !q, !k, !k) outs(%q : !q) -> !q
  return %o : !q
}

// CHECK-LABEL: @parts
// CHECK:         %[[NK:.*]] = tensor.dim %{{.*}}, %c2
// CHECK:         %[[SMS:.*]] = sparse_attn.sm_count
// CHECK:         %[[WARPS:.*]] = arith.muli %[[SMS]], %c4
// CHECK:         %[[ROOM:.*]] = arith.floordivsi %[[WARPS]], %c8
// CHECK:         %[[USEFUL:.*]] = arith.floordivsi %[[NK]], %c256
// CHECK:         %[[SOME:.*]] = arith.minsi %[[ROOM]], %[[USEFUL]]
// CHECK:         %[[FEWER:.*]] = arith.minsi %[[SOME]], %c32
// CHECK:         %[[FOURTHS:.*]] = arith.floordivsi %[[FEWER]], %c4
// CHECK:         %[[MULTIPLE:.*]] = arith.muli %[[FOURTHS]], %c4
// CHECK:         %[[FEW:.*]] = arith.minsi %[[FEWER]], %c3
// CHECK:         %[[SOME:.*]] = arith.maxsi %[[MULTIPLE]], %[[FEW]]
// CHECK:         %[[ONE:.*]] = arith.maxsi %[[SOME]], %c1
// CHECK:         %[[PARTS:.*]] = sparse_attn.launch_argument %[[ONE]]
// CHECK:         scf.forall (%{{.*}}, %{{.*}}, %{{.*}}, %[[P:[a-z0-9]+]]) in (1, 8, 1, %[[PARTS]])
// CHECK:           %[[EACH32:.*]] = arith.divui %[[TILES:.*]], %[[PARTS32:.*]] : i32
// CHECK:           %[[EACH:.*]] = arith.index_castui %[[EACH32]]
// CHECK:           %[[REST32:.*]] = arith.remui %[[TILES]], %[[PARTS32]] : i32
// CHECK:           %[[REST:.*]] = arith.index_castui %[[REST32]]
// CHECK:           %[[SHARE:.*]] = arith.muli %[[EACH]], %[[P]]
// CHECK:           %[[MORE:.*]] = arith.minsi %[[P]], %[[REST]]
// CHECK:           %[[BEGIN:.*]] = arith.addi %[[SHARE]], %[[MORE]]
// CHECK:           scf.for %{{.*}} = %[[BEGIN]] to
// CHECK:           sparse_attn.store_state
// CHECK:         sparse_attn.merge_stored {{.*}} : tensor<1x8x1x?x16xf32>

// KNOWN-NOT:     sparse_attn.launch_argument
// KNOWN-NOT:     sparse_attn.sm_count
// KNOWN:         scf.forall
