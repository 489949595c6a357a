// The keys that scripts read, with a check and without.
//
// RUN: sparse-attn-run %s --check --json --repeat=3 > %t
// RUN: FileCheck %s < %t
// RUN: %python -m json.tool < %t
// RUN: sparse-attn-run %s --json | FileCheck %s --check-prefix=PLAIN \
// RUN:   --implicit-check-not=checked_rows --implicit-check-not=passed --implicit-check-not=error \
// RUN:   --implicit-check-not=multiply_adds
//
// Both products of 2 heads: in tiles of 48 x 64, two query tiles have 3 tiles of keys.
//
// RUN: sparse-attn-run %s --json --count-products --repeat=2 | FileCheck %s --check-prefix=COUNTED
// COUNTED: "multiply_adds": 294912,

// CHECK:      {
// CHECK-NEXT:   "checked_rows": 128,
// CHECK-NEXT:   "compile_seconds": {{[0-9.]+(e-[0-9]+)?}},
// CHECK-NEXT:   "device": "cpu",
// CHECK-NEXT:   "entry": "attention",
// CHECK-NEXT:   "max_abs_error": {{[0-9.]+(e-[0-9]+)?}},
// CHECK-NEXT:   "max_rel_error": {{[0-9.]+(e-[0-9]+)?}},
// CHECK-NEXT:   "passed": true,
// CHECK-NEXT:   "seconds": {{[0-9.]+(e-[0-9]+)?}}
// CHECK-NEXT: }

// PLAIN:   "device": "cpu",
// PLAIN:   "entry": "attention",
// PLAIN:   "seconds":

func.func @attention(%q: tensor<1x2x80x8xf32>) -> tensor<1x2x80x8xf32> {
  %init = tensor.empty() : tensor<1x2x80x8xf32>
  %o = sparse_attn.attention mask(#sparse_attn.causal)
      ins(%q, %q, %q : tensor<1x2x80x8xf32>, tensor<1x2x80x8xf32>, tensor<1x2x80x8xf32>)
      outs(%init : tensor<1x2x80x8xf32>) -> tensor<1x2x80x8xf32>
  return %o : tensor<1x2x80x8xf32>
}
