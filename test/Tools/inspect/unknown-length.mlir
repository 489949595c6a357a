// What has no closed form while the number of keys is unknown.
//
// RUN: sparse-attn-inspect %s --entry=bigbird --shape=S=640 2> /dev/null | FileCheck %s --check-prefix=BIGBIRD
// RUN: sparse-attn-inspect %s --entry=opaque --shape=S=640 2>&1 | FileCheck %s --check-prefix=OPAQUE
//
// The last block stands at most one block too early: nothing to speak of.
// BIGBIRD:     plan      tile
// BIGBIRD-NOT: loss
//
// OPAQUE-NOT: remark
// OPAQUE:     remark: 'last_block(block=64, direction=columns)' has no closed form, so every tile that the rest of the mask leaves is visited, with the mask evaluated in each; intersect it with a mask that bounds it, or write the number of keys in the types, with which it may have one
// OPAQUE-NOT: remark
// OPAQUE:     loss      'last_block(block=64, direction=columns)' has no closed form

!d = tensor<1x1x?x16xf32>
func.func @bigbird(%q: !d) -> !d {
  %o = sparse_attn.attention mask(#sparse_attn.bigbird<block = 64, window_blocks = 3, random_blocks = 3>)
      ins(%q, %q, %q : !d, !d, !d) outs(%q : !d) -> !d
  return %o : !d
}

!empty = tensor<1x1x0x16xf32>
func.func @no_keys(%q: !empty) -> !empty {
  %o = sparse_attn.attention mask(#sparse_attn.bigbird<block = 64, window_blocks = 3, random_blocks = 3>)
      ins(%q, %q, %q : !empty, !empty, !empty) outs(%q : !empty) -> !empty
  return %o : !empty
}

func.func @opaque(%q: !d) -> !d {
  %o = sparse_attn.attention mask(#sparse_attn.complement<#sparse_attn.global<last_block = 64, direction = columns>>)
      ins(%q, %q, %q : !d, !d, !d) outs(%q : !d) -> !d
  return %o : !d
}
