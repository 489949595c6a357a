// Keys that stand a multiple of a step away are neighbours in a part that is folded by the
// step. Plans of such parts are proven, and computed as the mask says: at ragged lengths, at
// lengths that are not known, with more queries than keys and fewer, for halves, with grouped
// heads, and in plans written by hand.
//
// RUN: sparse-attn-opt %s --sparse-attn-plan --sparse-attn-prove-plan=fail-unsupported -o %t.mlir
// RUN: FileCheck %s --input-file=%t.mlir
// RUN: sparse-attn-run %s --entry=dilated --seed=3 --check=all
// RUN: sparse-attn-run %s --entry=dynamic --shape=Sq=300,Sk=333 --seed=3 --check=all
// RUN: sparse-attn-run %s --entry=dynamic --shape=Sq=333,Sk=300 --seed=3 --check=all
// RUN: sparse-attn-run %s --entry=dynamic --shape=Sq=40,Sk=3 --seed=3 --check=all
// RUN: sparse-attn-run %s --entry=dynamic --shape=Sq=2,Sk=40 --seed=3 --check=all
// RUN: sparse-attn-run %s --entry=dynamic --shape=Sq=5,Sk=0 --seed=3
// RUN: sparse-attn-run %s --entry=dynamic --shape=Sq=0,Sk=0 --seed=3
// RUN: sparse-attn-run %s --entry=strided --seed=3 --check=all
// RUN: sparse-attn-run %s --entry=strided_dynamic --shape=Sq=700,Sk=1001 --seed=3 --check=all
// RUN: sparse-attn-run %s --entry=strided_dynamic --shape=Sq=1001,Sk=1001 --seed=3 --check=all
// RUN: sparse-attn-run %s --entry=strided_dynamic --shape=Sq=70,Sk=3 --seed=3 --check=all
// RUN: sparse-attn-run %s --entry=strided_dynamic --shape=Sq=70,Sk=0 --seed=3
// RUN: sparse-attn-run %s --entry=composed --seed=3 --check=all
// RUN: sparse-attn-run %s --entry=by_hand --seed=3 --check=all
// RUN: sparse-attn-run %s --entry=split_last --seed=3 --check=all
// RUN: sparse-attn-run %s --entry=split_last --seed=3 --check=all --device=emulator
!h = tensor<2x4x333x16xbf16>
!k = tensor<2x2x333x16xbf16>
!l = tensor<2x4x333xf32>
!d = tensor<1x2x?x16xf32>
!s = tensor<1x2x1000x24xf32>
!c = tensor<1x1x1024x16xf32>
!t = tensor<1x2x50x16xf32>

// CHECK-LABEL: func.func @dilated
// CHECK:         plan(<parts = [<step = 4, pairs = "j >= i - 20 and j < i + 21", tile = [
func.func @dilated(%q: !h, %k: !k, %v: !k) -> (!h, !l) {
  %init = tensor.empty() : !h
  %lse = tensor.empty() : !l
  %o:2 = sparse_attn.attention mask(#sparse_attn.sliding_window<left = 20, right = 20, dilation = 4>)
      ins(%q, %k, %v : !h, !k, !k) outs(%init, %lse : !h, !l) -> !h, !l
  return %o#0, %o#1 : !h, !l
}

// CHECK-LABEL: func.func @dynamic
// CHECK:         plan(<parts = [<step = 6, pairs = "j >= i - 31 and j < i + 6"
func.func @dynamic(%q: !d, %k: !d, %v: !d) -> !d {
  %o = sparse_attn.attention mask(#sparse_attn.sliding_window<left = 31, right = 5, dilation = 6>)
      ins(%q, %k, %v : !d, !d, !d) outs(%q : !d) -> !d
  return %o : !d
}

// CHECK-LABEL: func.func @strided
// CHECK:         plan(<parts = [<step = 32, pairs = "j < i + 1", tile = {{.*}}>, <pairs = "j >= i - 31 and j < i", tile =
func.func @strided(%q: !s, %k: !s, %v: !s) -> !s {
  %init = tensor.empty() : !s
  %o = sparse_attn.attention mask(#sparse_attn.sparse_transformer_strided<stride = 32>)
      ins(%q, %k, %v : !s, !s, !s) outs(%init : !s) -> !s
  return %o : !s
}

// CHECK-LABEL: func.func @strided_dynamic
// CHECK:         plan(<parts = [<step = 48, pairs = "j < i + 1", tile = {{.*}}>, <pairs = "j >= i - 47 and j < i", tile =
func.func @strided_dynamic(%q: !d, %k: !d, %v: !d) -> !d {
  %o = sparse_attn.attention mask(#sparse_attn.sparse_transformer_strided<stride = 48>)
      ins(%q, %k, %v : !d, !d, !d) outs(%q : !d) -> !d
  return %o : !d
}

// Two folds, of which one is of a multiple of the other's step, and the rows of global tokens,
// which the last part computes alone.
// CHECK-LABEL: func.func @composed
// CHECK:         plan(<parts = [<step = 4, {{.*}}<step = 64, {{.*}}heavy = true
func.func @composed(%q: !c, %k: !c, %v: !c) -> !c {
  %init = tensor.empty() : !c
  %o = sparse_attn.attention mask(#sparse_attn.union<
        #sparse_attn.sliding_window<left = 16, right = 16, dilation = 4>,
        #sparse_attn.strided<stride = 64>, #sparse_attn.global<tokens = [0, 5]>>)
      ins(%q, %k, %v : !c, !c, !c) outs(%init : !c) -> !c
  return %o : !c
}

// Tiles of another size, and parts in another order, than the planner's.
func.func @by_hand(%q: !t, %k: !t, %v: !t) -> !t {
  %init = tensor.empty() : !t
  %o = sparse_attn.attention mask(#sparse_attn.union<#sparse_attn.strided<stride = 3>, #sparse_attn.prefix<length = 7>>)
      plan(<parts = [
        <pairs = "j < 7", tile = [16, 32], rows = [<"0" to "50", segments = [<partial "0" to "1">]>]>,
        <step = 3, pairs = "j >= 3", tile = [32, 16], rows = [<"0" to "nq", segments = [<partial "0" to "(nk + 15) floordiv 16">]>]>,
        <pairs = "j >= 7 and j < 9 and j - i mod 3 in 0 to 1", tile = [16, 16], rows = [<"0" to "nq", segments = [<partial "0" to "1">]>]>]>)
      ins(%q, %k, %v : !t, !t, !t) outs(%init : !t) -> !t
  return %o : !t
}

// All rows of the last part are split along the keys; their parts are merged with the states
// of the part before.
func.func @split_last(%q: !t, %k: !t, %v: !t) -> !t {
  %init = tensor.empty() : !t
  %o = sparse_attn.attention mask(#sparse_attn.full)
      plan(<parts = [
        <pairs = "j < 32", tile = [16, 16], rows = [<"0" to "nq", segments = [<full "0" to "2">]>]>,
        <pairs = "j >= 32", tile = [16, 16], rows = [<"0" to "nq", heavy = true, segments = [<full "2" to "3">, <partial "3" to "4">]>]>]>)
      ins(%q, %k, %v : !t, !t, !t) outs(%init : !t) -> !t
  return %o : !t
}
