// --canonicalize simplifies masks to an equivalent smaller form, so that users
// and front ends may compose them freely. Each function carries one rule.
//
// RUN: sparse-attn-opt %s --canonicalize | FileCheck %s

!t = tensor<1x1x64x8xf32>

//===----------------------------------------------------------------------===//
// Windows
//===----------------------------------------------------------------------===//

// A window that reaches all keys up to its own is causal.
// CHECK-LABEL: func.func @causal_window
// CHECK:         mask(#sparse_attn.causal)
func.func @causal_window(%q: !t) -> !t {
  %o = sparse_attn.attention mask(#sparse_attn.sliding_window<left = unbounded, right = 0>)
      ins(%q, %q, %q : !t, !t, !t) outs(%q : !t) -> !t
  return %o : !t
}

// A window open on both sides is no restriction.
// CHECK-LABEL: func.func @open_window
// CHECK:         mask(#sparse_attn.full)
func.func @open_window(%q: !t) -> !t {
  %o = sparse_attn.attention
      mask(#sparse_attn.union<#sparse_attn.strided<stride = 4>,
                              #sparse_attn.sliding_window<left = unbounded, right = unbounded, block = 4>>)
      ins(%q, %q, %q : !t, !t, !t) outs(%q : !t) -> !t
  return %o : !t
}

// With a dilation it is one still.
// CHECK-LABEL: func.func @dilated_window_stays
// CHECK:         mask(#sparse_attn.sliding_window<left = unbounded, right = 0, dilation = 2>)
func.func @dilated_window_stays(%q: !t) -> !t {
  %o = sparse_attn.attention
      mask(#sparse_attn.sliding_window<left = unbounded, right = 0, dilation = 2>)
      ins(%q, %q, %q : !t, !t, !t) outs(%q : !t) -> !t
  return %o : !t
}

//===----------------------------------------------------------------------===//
// Union
//===----------------------------------------------------------------------===//

// Casts that forget sizes are not needed before attention, which may have no score
// region.
// CHECK-LABEL: func.func @casts
// CHECK-SAME:    %[[Q:[a-z0-9]+]]: tensor<1x1x64x8xf32>, %[[N:[a-z0-9]+]]: tensor<1xi32>
// CHECK-NEXT:    %[[R:.*]] = sparse_attn.attention {{.*}} ins(%[[Q]], %[[Q]], %[[Q]] : tensor<1x1x64x8xf32>, tensor<1x1x64x8xf32>, tensor<1x1x64x8xf32>) data(key_lengths = %[[N]] : tensor<1xi32>) outs(%[[Q]] : tensor<1x1x64x8xf32>) -> tensor<1x1x64x8xf32>
// CHECK-NEXT:    %[[D:.*]] = tensor.cast %[[R]] : tensor<1x1x64x8xf32> to tensor<1x1x?x8xf32>
// CHECK-NEXT:    return %[[D]]
func.func @casts(%q: !t, %n: tensor<1xi32>) -> tensor<1x1x?x8xf32> {
  %d = tensor.cast %q : !t to tensor<1x1x?x8xf32>
  %m = tensor.cast %n : tensor<1xi32> to tensor<?xi32>
  %r = sparse_attn.attention mask(#sparse_attn.causal)
      ins(%d, %q, %d : tensor<1x1x?x8xf32>, !t, tensor<1x1x?x8xf32>)
      data(key_lengths = %m : tensor<?xi32>)
      outs(%d : tensor<1x1x?x8xf32>) -> tensor<1x1x?x8xf32>
  return %r : tensor<1x1x?x8xf32>
}

// Data that no mask reads any more goes, too; other data stays.
// CHECK-LABEL: func.func @data_of_what_has_gone
// CHECK-SAME:    %[[N:[a-z0-9]+]]: tensor<1xi32>
// CHECK:         mask(#sparse_attn.full) ins({{.*}}) data(key_lengths = %[[N]] : tensor<1xi32>) outs(
func.func @data_of_what_has_gone(%q: !t, %n: tensor<1xi32>, %ids: tensor<1x64xi32>) -> !t {
  %r = sparse_attn.attention
      mask(#sparse_attn.union<#sparse_attn.document, #sparse_attn.full>)
      ins(%q, %q, %q : !t, !t, !t)
      data(key_lengths = %n : tensor<1xi32>, documents = %ids : tensor<1x64xi32>)
      outs(%q : !t) -> !t
  return %r : !t
}

// Nested unions are one; a member that stands twice stands once.
// CHECK-LABEL: func.func @flatten_union
// CHECK:         mask(#sparse_attn.union<#sparse_attn.strided<stride = 4>, #sparse_attn.causal, #sparse_attn.prefix<length = 2>>)
func.func @flatten_union(%q: !t) -> !t {
  %o = sparse_attn.attention
      mask(#sparse_attn.union<#sparse_attn.strided<stride = 4>, #sparse_attn.union<
             #sparse_attn.causal, #sparse_attn.prefix<length = 2>, #sparse_attn.strided<stride = 4>>>)
      ins(%q, %q, %q : !t, !t, !t) outs(%q : !t) -> !t
  return %o : !t
}

// full absorbs every other member.
// CHECK-LABEL: func.func @full_absorbs
// CHECK:         mask(#sparse_attn.full)
func.func @full_absorbs(%q: !t) -> !t {
  %o = sparse_attn.attention
      mask(#sparse_attn.union<#sparse_attn.causal, #sparse_attn.full, #sparse_attn.strided<stride = 4>>)
      ins(%q, %q, %q : !t, !t, !t) outs(%q : !t) -> !t
  return %o : !t
}

// A window inside another adds nothing to it; causal is the window
// <unbounded, 0>.
// CHECK-LABEL: func.func @window_inside_window
// CHECK:         mask(#sparse_attn.union<#sparse_attn.sliding_window<left = 8, right = 8>, #sparse_attn.causal>)
func.func @window_inside_window(%q: !t) -> !t {
  %o = sparse_attn.attention
      mask(#sparse_attn.union<#sparse_attn.sliding_window<left = 3, right = 8>,
                              #sparse_attn.sliding_window<left = 8, right = 8>,
                              #sparse_attn.causal,
                              #sparse_attn.sliding_window<left = 100, right = 0>>)
      ins(%q, %q, %q : !t, !t, !t) outs(%q : !t) -> !t
  return %o : !t
}

// So does a shorter prefix.
// CHECK-LABEL: func.func @prefix_inside_prefix
// CHECK:         mask(#sparse_attn.prefix<length = 7>)
func.func @prefix_inside_prefix(%q: !t) -> !t {
  %o = sparse_attn.attention
      mask(#sparse_attn.union<#sparse_attn.prefix<length = 3>, #sparse_attn.prefix<length = 7>>)
      ins(%q, %q, %q : !t, !t, !t) outs(%q : !t) -> !t
  return %o : !t
}

// An intersection lies inside each of its members.
// CHECK-LABEL: func.func @intersection_inside_member
// CHECK:         mask(#sparse_attn.strided<stride = 4>)
func.func @intersection_inside_member(%q: !t) -> !t {
  %o = sparse_attn.attention
      mask(#sparse_attn.union<#sparse_attn.strided<stride = 4>, #sparse_attn.intersection<
             #sparse_attn.causal, #sparse_attn.strided<stride = 4>>>)
      ins(%q, %q, %q : !t, !t, !t) outs(%q : !t) -> !t
  return %o : !t
}

// Overlapping windows are not merged into one: their union is a window only
// where they nest.
// CHECK-LABEL: func.func @overlapping_windows_stay
// CHECK:         mask(#sparse_attn.union<#sparse_attn.sliding_window<left = 8, right = 1>, #sparse_attn.sliding_window<left = 1, right = 8>>)
func.func @overlapping_windows_stay(%q: !t) -> !t {
  %o = sparse_attn.attention
      mask(#sparse_attn.union<#sparse_attn.sliding_window<left = 8, right = 1>,
                              #sparse_attn.sliding_window<left = 1, right = 8>>)
      ins(%q, %q, %q : !t, !t, !t) outs(%q : !t) -> !t
  return %o : !t
}

//===----------------------------------------------------------------------===//
// Intersection
//===----------------------------------------------------------------------===//

// full is neutral, and an intersection of one mask is that mask.
// CHECK-LABEL: func.func @full_is_neutral
// CHECK:         mask(#sparse_attn.strided<stride = 4>)
func.func @full_is_neutral(%q: !t) -> !t {
  %o = sparse_attn.attention
      mask(#sparse_attn.intersection<#sparse_attn.full, #sparse_attn.strided<stride = 4>>)
      ins(%q, %q, %q : !t, !t, !t) outs(%q : !t) -> !t
  return %o : !t
}

// Of full masks only, one remains.
// CHECK-LABEL: func.func @only_full
// CHECK:         mask(#sparse_attn.full)
func.func @only_full(%q: !t) -> !t {
  %o = sparse_attn.attention
      mask(#sparse_attn.intersection<#sparse_attn.full, #sparse_attn.full>)
      ins(%q, %q, %q : !t, !t, !t) outs(%q : !t) -> !t
  return %o : !t
}

// Windows intersect to a window, each end the nearer one: here Mistral's
// sliding window, written as a causal mask and a symmetric window.
// CHECK-LABEL: func.func @windows_intersect
// CHECK:         mask(#sparse_attn.sliding_window<left = 16, right = 0>)
func.func @windows_intersect(%q: !t) -> !t {
  %o = sparse_attn.attention
      mask(#sparse_attn.intersection<#sparse_attn.causal, #sparse_attn.sliding_window<left = 16, right = 16>>)
      ins(%q, %q, %q : !t, !t, !t) outs(%q : !t) -> !t
  return %o : !t
}

// Nested intersections are one first, so that windows meet across levels.
// CHECK-LABEL: func.func @flatten_intersection
// CHECK:         mask(#sparse_attn.intersection<#sparse_attn.sliding_window<left = 2, right = 5>, #sparse_attn.strided<stride = 2>>)
func.func @flatten_intersection(%q: !t) -> !t {
  %o = sparse_attn.attention
      mask(#sparse_attn.intersection<#sparse_attn.sliding_window<left = 9, right = 5>, #sparse_attn.intersection<
             #sparse_attn.strided<stride = 2>, #sparse_attn.sliding_window<left = 2, right = 7>>>)
      ins(%q, %q, %q : !t, !t, !t) outs(%q : !t) -> !t
  return %o : !t
}

// The merged window may have a name of its own.
// CHECK-LABEL: func.func @merged_to_causal
// CHECK:         mask(#sparse_attn.causal)
func.func @merged_to_causal(%q: !t) -> !t {
  %o = sparse_attn.attention
      mask(#sparse_attn.intersection<#sparse_attn.sliding_window<left = unbounded, right = 4>,
                                     #sparse_attn.sliding_window<left = unbounded, right = 0>>)
      ins(%q, %q, %q : !t, !t, !t) outs(%q : !t) -> !t
  return %o : !t
}

// A union around another member restricts nothing.
// CHECK-LABEL: func.func @union_around_member
// CHECK:         mask(#sparse_attn.strided<stride = 4>)
func.func @union_around_member(%q: !t) -> !t {
  %o = sparse_attn.attention
      mask(#sparse_attn.intersection<#sparse_attn.strided<stride = 4>, #sparse_attn.union<
             #sparse_attn.chunked<size = 8>, #sparse_attn.strided<stride = 4>>>)
      ins(%q, %q, %q : !t, !t, !t) outs(%q : !t) -> !t
  return %o : !t
}

// Windows count positions or blocks of one size; different units do not mix.
// CHECK-LABEL: func.func @different_blocks_stay
// CHECK:         mask(#sparse_attn.intersection<#sparse_attn.sliding_window<left = 1, right = 1, block = 4>, #sparse_attn.sliding_window<left = 2, right = 0, block = 8>, #sparse_attn.causal>)
func.func @different_blocks_stay(%q: !t) -> !t {
  %o = sparse_attn.attention
      mask(#sparse_attn.intersection<#sparse_attn.sliding_window<left = 1, right = 1, block = 4>,
                                     #sparse_attn.sliding_window<left = 2, right = 0, block = 8>,
                                     #sparse_attn.causal>)
      ins(%q, %q, %q : !t, !t, !t) outs(%q : !t) -> !t
  return %o : !t
}

// Windows of one block size do; the result is causal over blocks, which is not
// causal over positions.
// CHECK-LABEL: func.func @equal_blocks_intersect
// CHECK:         mask(#sparse_attn.sliding_window<left = unbounded, right = 0, block = 4>)
func.func @equal_blocks_intersect(%q: !t) -> !t {
  %o = sparse_attn.attention
      mask(#sparse_attn.intersection<#sparse_attn.sliding_window<left = unbounded, right = 1, block = 4>,
                                     #sparse_attn.sliding_window<left = unbounded, right = 0, block = 4>>)
      ins(%q, %q, %q : !t, !t, !t) outs(%q : !t) -> !t
  return %o : !t
}

// A dilated window is no interval, so it neither merges nor absorbs.
// CHECK-LABEL: func.func @dilated_windows_stay
// CHECK:         mask(#sparse_attn.intersection<#sparse_attn.sliding_window<left = 4, right = 4, dilation = 2>, #sparse_attn.sliding_window<left = 2, right = 2>>)
func.func @dilated_windows_stay(%q: !t) -> !t {
  %o = sparse_attn.attention
      mask(#sparse_attn.intersection<#sparse_attn.sliding_window<left = 4, right = 4, dilation = 2>,
                                     #sparse_attn.sliding_window<left = 2, right = 2>>)
      ins(%q, %q, %q : !t, !t, !t) outs(%q : !t) -> !t
  return %o : !t
}

//===----------------------------------------------------------------------===//
// Complement and the whole
//===----------------------------------------------------------------------===//

// Two complements cancel, also after their operand has been simplified.
// CHECK-LABEL: func.func @double_complement
// CHECK:         mask(#sparse_attn.chunked<size = 8>)
func.func @double_complement(%q: !t) -> !t {
  %o = sparse_attn.attention
      mask(#sparse_attn.complement<#sparse_attn.union<#sparse_attn.complement<#sparse_attn.chunked<size = 8>>>>)
      ins(%q, %q, %q : !t, !t, !t) outs(%q : !t) -> !t
  return %o : !t
}

// A complement is not simplified by what it excludes: that it and its operand
// make everything is left to the planner.
// CHECK-LABEL: func.func @complement_stays
// CHECK:         mask(#sparse_attn.union<#sparse_attn.causal, #sparse_attn.complement<#sparse_attn.causal>>)
func.func @complement_stays(%q: !t) -> !t {
  %o = sparse_attn.attention
      mask(#sparse_attn.union<#sparse_attn.causal, #sparse_attn.complement<#sparse_attn.causal>>)
      ins(%q, %q, %q : !t, !t, !t) outs(%q : !t) -> !t
  return %o : !t
}

// One rule makes room for the next, until none applies.
// CHECK-LABEL: func.func @to_a_fixed_point
// CHECK:         mask(#sparse_attn.causal)
func.func @to_a_fixed_point(%q: !t) -> !t {
  %o = sparse_attn.attention
      mask(#sparse_attn.union<
             #sparse_attn.intersection<#sparse_attn.causal, #sparse_attn.union<#sparse_attn.full>>,
             #sparse_attn.complement<#sparse_attn.complement<#sparse_attn.intersection<
               #sparse_attn.sliding_window<left = 3, right = 3>, #sparse_attn.causal>>>>)
      ins(%q, %q, %q : !t, !t, !t) outs(%q : !t) -> !t
  return %o : !t
}

// Presets keep their name; a global token that no window holds keeps its place.
// CHECK-LABEL: func.func @presets_stay
// CHECK:         mask(#sparse_attn.union<#sparse_attn.longformer<window = 4, global_tokens = [0]>, #sparse_attn.sliding_window<left = 2, right = 2>>)
func.func @presets_stay(%q: !t) -> !t {
  %o = sparse_attn.attention
      mask(#sparse_attn.union<#sparse_attn.longformer<window = 4, global_tokens = [0]>,
                              #sparse_attn.sliding_window<left = 2, right = 2>>)
      ins(%q, %q, %q : !t, !t, !t) outs(%q : !t) -> !t
  return %o : !t
}

// An op whose result nobody reads goes away, on tensors: it has no effect
// there. On memrefs it writes.
// CHECK-LABEL: func.func @dead
// CHECK-COUNT-1: sparse_attn.attention
// CHECK-NOT:     sparse_attn.attention
func.func @dead(%q: !t, %b: memref<1x1x64x8xf32>) {
  %o = sparse_attn.attention mask(#sparse_attn.causal)
      ins(%q, %q, %q : !t, !t, !t) outs(%q : !t) -> !t
  sparse_attn.attention mask(#sparse_attn.causal)
      ins(%b, %b, %b : memref<1x1x64x8xf32>, memref<1x1x64x8xf32>, memref<1x1x64x8xf32>)
      outs(%b : memref<1x1x64x8xf32>)
  return
}
