// RUN: sparse-attn-opt --sparse-attn-verify-target --split-input-file --verify-diagnostics %s

!t = tensor<1x2x?x20xbf16>
func.func @query(%q: !t, %init: !t) -> !t {
  // expected-error @below {{has a head size of 20 for its query; kernels for GPUs need a multiple of 8 up to 576: pad it with zeros, and keep the scale}}
  %o = sparse_attn.attention mask(#sparse_attn.causal) ins(%q, %q, %q : !t, !t, !t) outs(%init : !t) -> !t
  return %o : !t
}

// -----

!t = tensor<1x2x?x584xf16>
!v = tensor<1x2x?x64xf16>
func.func @long_query(%q: !t, %v: !v, %init: !v) -> !v {
  // expected-error @below {{has a head size of 584 for its query; kernels for GPUs need a multiple of 8 up to 576, as tiles of longer rows do not fit shared memory: compute this attention on the CPU}}
  %o = sparse_attn.attention mask(#sparse_attn.causal) ins(%q, %q, %v : !t, !t, !v) outs(%init : !v) -> !v
  return %o : !v
}

// -----

!t = tensor<1x2x?x64xf16>
!v = tensor<1x2x?x1024xf16>
func.func @long_value(%q: !t, %v: !v, %init: !v) -> !v {
  // expected-error @below {{has a head size of 1024 for its value; kernels for GPUs need a multiple of 8 up to 576: give each slice of the values' columns an attention of its own}}
  %o = sparse_attn.attention mask(#sparse_attn.causal) ins(%q, %q, %v : !t, !t, !v) outs(%init : !v) -> !v
  return %o : !v
}

// -----

!t = tensor<1x2x?x64xf32>
!v = tensor<1x2x?x264xf32>
func.func @value(%q: !t, %v: !v, %init: !v) -> !v {
  // expected-error @below {{has a head size of 264 for its value; kernels for GPUs need a multiple of 8 up to 256 in f32: convert queries, keys and values to f16 or bf16, of which they take up to 576}}
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

// -----

!t = tensor<1x2x300x16xf32>
func.func @rows_of_a_layout(%q: !t, %init: !t) -> !t {
  // expected-error @below {{has a plan with rows of a layout in tiles of 8; kernels for GPUs take a multiple of 16 rows: make the tile of the layout one, or leave the plan out to have one made}}
  %o = sparse_attn.attention mask(#sparse_attn.full)
      plan(<tile = [16, 16], rows = [<"0" to "nq", segments = [<full "0" to "18">, <partial "18" to "19">]>,
             <"0" to "4" of list<[7, 99, 201, 298], width = 1, tile = 8>, segments = [<full "0" to "18">, <partial "18" to "19">]>]>)
      ins(%q, %q, %q : !t, !t, !t) outs(%init : !t) -> !t
  return %o : !t
}
