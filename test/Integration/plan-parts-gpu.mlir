// Kernels of plans of parts, on the emulator: the rows of a folded part stand a step apart in
// memory, and parts before the last leave the states of their rows there.
//
// RUN: sparse-attn-run %s --entry=dilated --device=emulator --seed=3 --check=all
// RUN: sparse-attn-run %s --entry=dynamic --shape=Sq=200,Sk=231 --device=emulator --seed=3 --check=all
// RUN: sparse-attn-run %s --entry=dynamic --shape=Sq=231,Sk=200 --device=emulator --seed=3 --check=all
// RUN: sparse-attn-run %s --entry=strided --device=emulator --seed=3 --check=all
// RUN: sparse-attn-run %s --entry=by_hand --shape=Sq=80,Sk=80 --device=emulator --seed=3 --check=all
!h = tensor<1x4x333x16xbf16>
!k = tensor<1x2x333x16xbf16>
!l = tensor<1x4x333xf32>
!d = tensor<1x1x?x16xf32>
!s = tensor<1x1x600x16xf16>
!t = tensor<1x2x?x16xf32>

func.func @dilated(%q: !h, %k: !k, %v: !k) -> (!h, !l) {
  %init = tensor.empty() : !h
  %lse = tensor.empty() : !l
  %o:2 = sparse_attn.attention mask(#sparse_attn.sliding_window<left = 20, right = 20, dilation = 4>)
      ins(%q, %k, %v : !h, !k, !k) outs(%init, %lse : !h, !l) -> !h, !l
  return %o#0, %o#1 : !h, !l
}

func.func @dynamic(%q: !d, %k: !d, %v: !d) -> !d {
  %o = sparse_attn.attention mask(#sparse_attn.sliding_window<left = 31, right = 5, dilation = 6>)
      ins(%q, %k, %v : !d, !d, !d) outs(%q : !d) -> !d
  return %o : !d
}

func.func @strided(%q: !s, %k: !s, %v: !s) -> !s {
  %init = tensor.empty() : !s
  %o = sparse_attn.attention mask(#sparse_attn.sparse_transformer_strided<stride = 24>)
      plan(<parts = [
        <step = 24, pairs = "j < i", tile = [16, 16], rows = [<"0" to "nq", segments = [
          <full "0" to "q">, <partial "q" to "min(q + 1, (nk + 15) floordiv 16)">]>]>,
        <pairs = "j >= i - 23 and j < i + 1", tile = [32, 32], rows = [<"0" to "nq", segments = [
          <partial "max(0, q - 1)" to "min(q + 1, (nk + 31) floordiv 32)">]>]>]>)
      ins(%q, %k, %v : !s, !s, !s) outs(%init : !s) -> !s
  return %o : !s
}

// Three parts, of which two leave states, and a heavy row of the last.
func.func @by_hand(%q: !t, %k: !t, %v: !t) -> !t {
  %o = sparse_attn.attention mask(#sparse_attn.union<#sparse_attn.strided<stride = 3>,
                                    #sparse_attn.prefix<length = 7>, #sparse_attn.global<tokens = [1], direction = rows>>)
      plan(<offset_multiple = 0, parts = [
        <pairs = "j < 7", tile = [16, 32], rows = [<"0" to "nq", segments = [<partial "0" to "1">]>]>,
        <step = 3, pairs = "j >= 3", tile = [32, 16], rows = [<"0" to "nq", segments = [<partial "0" to "(nk + 15) floordiv 16">]>]>,
        <pairs = "j >= 7 and j < 9 and j - i mod 3 in 0 to 1 or i >= 1 and i < 2", tile = [16, 16], rows = [
          <"0" to "nq", segments = [<partial "0" to "1">]>,
          <"1" to "min(2, nq)", heavy = true, segments = [<partial "0" to "(nk + 15) floordiv 16">]>]>]>)
      ins(%q, %k, %v : !t, !t, !t) outs(%q : !t) -> !t
  return %o : !t
}
