// Rows of two classes are in order where the plan's assumption says so: of lengths that are
// multiples of 64, the first 64 rows come before the last 64, and one grid has the parts of
// both. For all lengths they are apart.
//
// RUN: sparse-attn-opt %s --sparse-attn-plan=target=sm_80 --sparse-attn-specialize=target=sm_80 \
// RUN:   --sparse-attn-visit-tiles="heavy-splits=4" --canonicalize 2>/dev/null | FileCheck %s

!t = tensor<1x2x?x64xbf16>
func.func @bigbird(%q: !t, %k: !t, %v: !t, %init: !t) -> !t {
  %o = sparse_attn.attention mask(#sparse_attn.bigbird<block = 64, window_blocks = 3, random_blocks = 3, seed = 0>)
      ins(%q, %k, %v : !t, !t, !t) outs(%init : !t) -> !t
  return %o : !t
}

// CHECK-LABEL: func.func @bigbird
// CHECK:         scf.if %{{[0-9]+}} -> (tensor<1x2x?x64xbf16>)
// The draws, the parts, the rows, and a merge.
// CHECK:           scf.forall ({{.*}}) in (2, %{{.*}})
// CHECK:           scf.forall ({{.*}}) in (1, 2, %{{.*}}, 4)
// CHECK:           scf.forall ({{.*}}) in (1, 2, %{{[0-9]+}})
// CHECK:           scf.forall ({{.*}}) in (1, 2, %{{[0-9]+}})
// CHECK-NOT:       scf.forall (
// CHECK:           scf.yield
// CHECK-NEXT:    } else {
// CHECK:           scf.forall ({{.*}}) in (1, 2, %{{.*}}, 4)
// CHECK:           scf.forall ({{.*}}) in (1, 2, %{{.*}}, 4)
