// RUN: sparse-attn-opt %s --sparse-attn-plan="tile-queries=16 tile-keys=32" | FileCheck %s

!t = tensor<1x4x256x64xf32>
func.func @causal(%q: !t, %k: !t, %v: !t) -> !t {
  %o = sparse_attn.attention mask(#sparse_attn.causal) ins(%q, %k, %v : !t, !t, !t) outs(%q : !t) -> !t
  return %o : !t
}

// CHECK:      %[[O:.*]] = sparse_attn.attention mask(#sparse_attn.causal)
// CHECK-SAME:     plan(<tile = [16, 32], rows = [<"0" to "256", segments = [
// CHECK-SAME:       <full "0" to "q floordiv 2">,
// CHECK-SAME:       <partial "q floordiv 2" to "(q + 2) floordiv 2">]>]>)
// CHECK-SAME:     ins({{.*}}) outs({{.*}}) -> tensor<1x4x256x64xf32>
