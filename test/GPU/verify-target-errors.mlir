// RUN: sparse-attn-opt --sparse-attn-verify-target --split-input-file --verify-diagnostics %s

!t = tensor<1x2x?x24xbf16>
func.func @query(%q: !t, %init: !t) -> !t {
  // expected-error @below {{has a head size of 24 for its query; kernels for GPUs need a multiple of 16 up to 256: pad it with zeros, and keep the scale}}
  %o = sparse_attn.attention mask(#sparse_attn.causal) ins(%q, %q, %q : !t, !t, !t) outs(%init : !t) -> !t
  return %o : !t
}

// -----

!t = tensor<1x2x?x64xf32>
!v = tensor<1x2x?x264xf32>
func.func @value(%q: !t, %v: !v, %init: !v) -> !v {
  // expected-error @below {{has a head size of 264 for its value; kernels for GPUs need a multiple of 8 up to 256}}
  %o = sparse_attn.attention mask(#sparse_attn.causal) ins(%q, %q, %v : !t, !t, !v) outs(%init : !v) -> !v
  return %o : !v
}

// -----

!t = tensor<1x2x?x12xf32>
func.func @f32(%q: !t, %init: !t) -> !t {
  // expected-error @below {{has a head size of 12 for its query; kernels for GPUs need a multiple of 8 up to 256: pad it with zeros, and keep the scale}}
  %o = sparse_attn.attention mask(#sparse_attn.causal) ins(%q, %q, %q : !t, !t, !t) outs(%init : !t) -> !t
  return %o : !t
}

// -----

!t = tensor<1x2x?x64xf16>
// expected-error @below {{has a name that kernels cannot have; use letters, digits, '_' and '$' only, and no digit first}}
func.func @"a b"(%q: !t, %init: !t) -> !t {
  %o = sparse_attn.attention mask(#sparse_attn.causal) ins(%q, %q, %q : !t, !t, !t) outs(%init : !t) -> !t
  return %o : !t
}

// -----

!t = tensor<1x2x?x64xf16>
// expected-error @below {{has the name that shared memory has in PTX; choose another}}
func.func @__dynamic_shmem_(%q: !t, %init: !t) -> !t {
  %o = sparse_attn.attention mask(#sparse_attn.causal) ins(%q, %q, %q : !t, !t, !t) outs(%init : !t) -> !t
  return %o : !t
}

// -----

// Without attention no kernel takes the name.
func.func @"a b"() {
  return
}
