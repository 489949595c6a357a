// An error in a bound is reported where in the bound it is.
//
// RUN: not sparse-attn-opt %s 2>&1 | FileCheck %s
//
// CHECK:      plan-bound-location.mlir:8:89: error: invalid bound "q floordiv 0": a divisor must be a positive constant
// CHECK-NEXT: #sparse_attn.segment
func.func private @f() attributes {
  q = #sparse_attn.segment<full "0" to "nk">, p = #sparse_attn.segment<full "q floordiv 0" to "nk">}
