// The caller makes the memory of a result, so its sizes must follow from those of the
// arguments.
//
// RUN: not sparse-attn-compile %s --target=sm_80 --emit=manifest -o %t 2>&1 | FileCheck %s
// CHECK: result-sizes.mlir:[[@LINE+14]]:3: error: 'func.return' op returns as result 1 a tensor of a size that is none of its arguments'; return what attention gives
// CHECK: error: cannot compile 'other' for sm_80

!t = tensor<1x1x?x64xf16>

func.func @other(%q: !t) -> (!t, tensor<?x4xf32>) {
  %c2 = arith.constant 2 : index
  %n = tensor.dim %q, %c2 : !t
  %init = tensor.empty(%n) : !t
  %o = sparse_attn.attention mask(#sparse_attn.causal)
    ins(%q, %q, %q : !t, !t, !t) outs(%init : !t) -> !t
  %twice = arith.muli %n, %c2 : index
  %e = tensor.empty(%twice) : tensor<?x4xf32>

  return %o, %e : !t, tensor<?x4xf32>
}
