// Plans that come with a file: the planner's and proven ones stay, those that cannot be
// proven are cut to the tiles that exist.
//
// RUN: sparse-attn-opt %s --sparse-attn-verify-plan --mlir-print-op-on-diagnostic=false --verify-diagnostics \
// RUN:   --split-input-file | FileCheck %s
//
// A proof of the planner's own would take longer than making it again: none is asked for,
// also where there could be none.
// RUN: sparse-attn-opt %s --sparse-attn-plan --sparse-attn-verify-plan --mlir-print-op-on-diagnostic=false \
// RUN:   --split-input-file 2>&1 | FileCheck %s --check-prefix=PLANNED
// PLANNED-NOT: plan not proven: a mask

!t = tensor<1x4x64x8xf32>

// CHECK-LABEL: func.func @by_hand
// CHECK:         plan(<tile = [16, 16], rows = [<"0" to "64", segments = [<partial "0" to "q + 1">]>]>)
func.func @by_hand(%q: !t) -> !t {
  %o = sparse_attn.attention mask(#sparse_attn.causal)
      plan(<tile = [16, 16], rows = [<"0" to "64", segments = [<partial "0" to "q + 1">]>]>)
      ins(%q, %q, %q : !t, !t, !t) outs(%q : !t) -> !t
  return %o : !t
}

// CHECK-LABEL: func.func @without
// CHECK-NOT:     plan
func.func @without(%q: !t) -> !t {
  %o = sparse_attn.attention mask(#sparse_attn.causal)
      ins(%q, %q, %q : !t, !t, !t) outs(%q : !t) -> !t
  return %o : !t
}

// -----

// Without a key there are no tiles, whatever the bounds say.
// CHECK-LABEL: func.func @no_keys
// CHECK:         <partial "-5" to "9">
func.func @no_keys(%q: tensor<1x4x64x8xf32>, %k: tensor<1x4x0x8xf32>) -> tensor<1x4x64x8xf32> {
  %o = sparse_attn.attention mask(#sparse_attn.full)
      plan(<tile = [16, 16], rows = [<"0" to "64", segments = [<partial "-5" to "9">]>]>)
      ins(%q, %k, %k : tensor<1x4x64x8xf32>, tensor<1x4x0x8xf32>, tensor<1x4x0x8xf32>)
      outs(%q : tensor<1x4x64x8xf32>) -> tensor<1x4x64x8xf32>
  return %o : tensor<1x4x64x8xf32>
}

// -----

!t = tensor<1x4x?x8xf32>

// A full tile has all its keys, and a partial one at least one.
// CHECK-LABEL: func.func @unproven
// CHECK:         segments = [<full "max(0, q - 80000000000000000)" to "min(q, nk floordiv 16)">,
// CHECK-SAME:      <partial "max(0, q)" to "min(80000000000000000, (nk + 15) floordiv 16)">]
func.func @unproven(%q: !t) -> !t {
  // expected-warning@below {{plan not proven: a bound of the plan has a number beyond 2^56; tiles outside of the keys are not visited, but it may miss pairs; remove the plan to have one made}}
  %o = sparse_attn.attention mask(#sparse_attn.full)
      plan(<tile = [16, 16], rows = [<"0" to "nq", segments = [
        <full "q - 80000000000000000" to "q">, <partial "q" to "80000000000000000">]>]>)
      ins(%q, %q, %q : !t, !t, !t) outs(%q : !t) -> !t
  return %o : !t
}
