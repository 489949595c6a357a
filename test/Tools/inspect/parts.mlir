// Which part computes what.
// RUN: sparse-attn-inspect %s --target=x86-64-v3 | FileCheck %s
// RUN: sparse-attn-inspect %s --target=x86-64-v3 --format=svg | FileCheck %s --check-prefix=SVG

// CHECK:      query 0 |+...
// CHECK-NEXT:         |++..
// CHECK-NEXT:         |a++.
// CHECK:      where one part has all of them:  Aa part 1, folded by 128  Bb part 2

// SVG: .f1{fill:
// SVG: <rect class="f1"
// SVG: <rect class="p0"
// SVG: part 1, folded by 128

!t = tensor<1x1x8192x64xf32>
func.func @strided(%q: !t, %k: !t, %v: !t) -> !t {
  %init = tensor.empty() : !t
  %o = sparse_attn.attention mask(#sparse_attn.sparse_transformer_strided<stride = 128>)
      ins(%q, %k, %v : !t, !t, !t) outs(%init : !t) -> !t
  return %o : !t
}
