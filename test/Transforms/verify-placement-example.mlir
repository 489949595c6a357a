// RUN: sparse-attn-opt %s --sparse-attn-verify-placement --verify-diagnostics

!t = tensor<1x2x64x16xf32>
module @outer {
  module @inner {
    func.func @f(%q: !t) -> !t {
      // expected-error@below {{stands in no func.func of the module that is compiled, where passes look for it}}
      %o = sparse_attn.attention mask(#sparse_attn.full) ins(%q, %q, %q : !t, !t, !t) outs(%q : !t) -> !t
      return %o : !t
    }
  }
}
