// RUN: sparse-attn-opt %s --sparse-attn-plan --sparse-attn-specialize 2>/dev/null | FileCheck %s

!t = tensor<1x4x?x64xf32>
func.func @bigbird(%q: !t, %k: !t, %v: !t) -> !t {
  %o = sparse_attn.attention mask(#sparse_attn.bigbird<block = 64, window_blocks = 3, random_blocks = 3>)
      ins(%q, %k, %v : !t, !t, !t) outs(%q : !t) -> !t
  return %o : !t
}

// CHECK:      arith.cmpi eq
// CHECK:      %[[O:.*]] = scf.if %{{.*}} -> (tensor<1x4x?x64xf32>) {
// CHECK:        sparse_attn.attention mask(#sparse_attn.bigbird<{{[^>]*}}>)
// CHECK-SAME:     plan(<tile = [{{[0-9]+}}, {{[0-9]+}}], {{.*}}_multiple = 64, rows = [
// CHECK:      } else {
// CHECK:        sparse_attn.attention mask(#sparse_attn.bigbird<{{[^>]*}}>)
// CHECK:      return %[[O]]
