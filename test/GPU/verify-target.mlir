// RUN: sparse-attn-opt --sparse-attn-verify-target %s | FileCheck %s

// The smallest and the largest heads; nothing changes.

!t = tensor<1x2x?x8xf16>
!v = tensor<1x2x?x576xf16>
// CHECK-LABEL: func.func @heads
func.func @heads(%q: !t, %v: !v, %init: !v) -> !v {
  // CHECK: sparse_attn.attention mask(#sparse_attn.causal)
  %o = sparse_attn.attention mask(#sparse_attn.causal) ins(%q, %q, %v : !t, !t, !v) outs(%init : !v) -> !v
  return %o : !v
}

!s = tensor<1x2x?x8xf32>
// CHECK-LABEL: func.func @f32
func.func @f32(%q: !s, %init: !s) -> !s {
  // CHECK: sparse_attn.attention mask(#sparse_attn.causal)
  %o = sparse_attn.attention mask(#sparse_attn.causal) ins(%q, %q, %q : !s, !s, !s) outs(%init : !s) -> !s
  return %o : !s
}
