// RUN: sparse-attn-opt %s --sparse-attn-plan="tile-queries=16 tile-keys=16" --sparse-attn-visit-tiles \
// RUN:   --sparse-attn-trust-steps --canonicalize | FileCheck %s

!t = tensor<1x1x64x16xf16>
func.func @window(%q: !t, %k: !t, %v: !t, %init: !t) -> !t {
  %o = sparse_attn.attention mask(#sparse_attn.sliding_window<left = 20, right = 20>)
      ins(%q, %k, %v : !t, !t, !t) outs(%init : !t) -> !t
  return %o : !t
}

// CHECK:      %[[INITIAL:.*]] = sparse_attn.initial_state : <16x16xf16, trusting>
// CHECK:      %[[LEFT:.*]] = scf.for {{.*}} iter_args(%{{.*}} = %[[INITIAL]]) {{.*}} {
// CHECK:        sparse_attn.step {{.*}} mask {
// CHECK:      %[[PARTIAL:.*]] = scf.for {{.*}} iter_args(%{{.*}} = %[[LEFT]]) {{.*}} {
// CHECK:        sparse_attn.step {{.*}} mask {
// CHECK:      %[[STATE:.*]] = scf.for {{.*}} iter_args(%{{.*}} = %[[PARTIAL]]) {{.*}} {
// CHECK:        sparse_attn.step {{.*}} : <16x16xf16, trusting>
// CHECK:      %[[TRUSTED:.*]] = sparse_attn.is_trusted %[[STATE]] rows(%c16) scale(2.500000e-01)
// CHECK:      %[[RESULT:.*]] = scf.if %[[TRUSTED]] -> (!sparse_attn.state<16x16xf16>) {
// CHECK-NEXT:   %[[SETTLED:.*]] = sparse_attn.settle %[[STATE]]
// CHECK-NEXT:   scf.yield %[[SETTLED]] : !sparse_attn.state<16x16xf16>
// CHECK-NEXT: } else {
// The same from the start, in one loop, without trust:
// CHECK-NEXT:   %[[START:.*]] = sparse_attn.restart %[[STATE]] : <16x16xf16, trusting> -> <16x16xf16>
// CHECK:        %[[EXACT:.*]] = scf.for {{.*}} iter_args(%{{.*}} = %[[START]]) {{.*}} {
// CHECK:          sparse_attn.step {{.*}} mask {
// CHECK:        scf.yield %[[EXACT]] : !sparse_attn.state<16x16xf16>
// CHECK:      sparse_attn.finish %[[RESULT]]
