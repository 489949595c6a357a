// Sequences with lengths of their own have plans for all lengths, of tiles of
// neighbours. Where that is far more work, a remark says so.
//
// RUN: sparse-attn-opt %s --sparse-attn-plan -verify-diagnostics | FileCheck %s

!t = tensor<2x1x4096x64xf32>

// CHECK-LABEL: func.func @causal
// CHECK:         sparse_attn.attention {{.*}} plan(<tile = [{{.*}}], rows = [<"0" to "4096", segments = [<full "0" to "{{.*}}nk
func.func @causal(%q: !t, %n: tensor<2xi32>) -> !t {
  %o = sparse_attn.attention mask(#sparse_attn.causal) ins(%q, %q, %q : !t, !t, !t)
      data(key_lengths = %n : tensor<2xi32>) outs(%q : !t) -> !t
  return %o : !t
}

// CHECK-LABEL: func.func @strided
// CHECK-NOT:     parts =
// CHECK:         return
func.func @strided(%q: !t, %n: tensor<2xi32>) -> !t {
  // expected-remark@below {{times the pairs that it would without 'query_lengths' and 'key_lengths', at 4096 queries and keys: sequences with lengths of their own have tiles of neighbours only; call each sequence alone where that costs too much}}
  %o = sparse_attn.attention mask(#sparse_attn.sparse_transformer_strided<stride = 64>) ins(%q, %q, %q : !t, !t, !t)
      data(query_lengths = %n : tensor<2xi32>) outs(%q : !t) -> !t
  return %o : !t
}
