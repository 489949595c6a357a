// Rows that stand where a layout says: in plans written by hand, proven, and computed as the
// mask says. Their queries are gathered, and their results scattered to their rows. Kernels
// take tiles of a multiple of 16 rows.
//
// RUN: sparse-attn-opt %s --sparse-attn-prove-plan=fail-unsupported -o /dev/null
// RUN: sparse-attn-run %s --entry=tokens --seed=3 --check=all
// RUN: sparse-attn-run %s --entry=halves --seed=3 --check=all
// RUN: sparse-attn-run %s --entry=period --seed=3 --check=all
// RUN: sparse-attn-run %s --entry=few --seed=3 --check=all
// RUN: sparse-attn-run %s --entry=unknown --shape=Sq=200,Sk=200 --seed=3 --check=all
// RUN: sparse-attn-run %s --entry=unknown --shape=Sq=40,Sk=150 --seed=3 --check=all
// RUN: sparse-attn-run %s --entry=unknown --shape=Sq=150,Sk=40 --seed=3 --check=all
// RUN: sparse-attn-run %s --entry=unknown --shape=Sq=5,Sk=5 --seed=3 --check=all
// RUN: sparse-attn-run %s --entry=unknown --shape=Sq=0,Sk=30 --seed=3
// RUN: sparse-attn-run %s --entry=runs --shape=Sq=200,Sk=200 --seed=3 --check=all
// RUN: sparse-attn-run %s --entry=runs --shape=Sq=70,Sk=150 --seed=3 --check=all
// RUN: sparse-attn-run %s --entry=halves --device=emulator --repeat=8 --seed=3 --check=all
// RUN: sparse-attn-run %s --entry=some --device=emulator --repeat=8 --seed=3 --check=all
// RUN: sparse-attn-run %s --entry=few --device=emulator --repeat=8 --seed=3 --check=all
// RUN: sparse-attn-run %s --entry=runs --device=emulator --repeat=2 --shape=Sq=200,Sk=200 --seed=3 --check=all
// RUN: sparse-attn-run %s --entry=runs --device=emulator --repeat=2 --shape=Sq=70,Sk=150 --seed=3 --check=all
// RUN: sparse-attn-run %s --entry=slots --device=emulator --repeat=2 --shape=Sq=200,Sk=200 --seed=3 --check=all
// RUN: sparse-attn-run %s --entry=slots --device=emulator --repeat=2 --shape=Sq=70,Sk=150 --seed=3 --check=all
// RUN: sparse-attn-run %s --entry=slots --device=emulator --repeat=2 --shape=Sq=40,Sk=41 --seed=3 --check=all
//
// RUN: not sparse-attn-run %s --entry=tokens --device=emulator 2>&1 | FileCheck %s --check-prefix=ERROR
// ERROR: plan-rows.mlir:[[#]]:10: error: {{.*}} has a plan with rows of a layout in tiles of 3; kernels for GPUs take a multiple of 16 rows: make the tile of the layout one, or leave the plan out to have one made

!t = tensor<2x2x300x16xf32>
!l = tensor<2x2x300xf32>
!h = tensor<1x2x300x16xbf16>
!d = tensor<1x2x?x16xf32>
!dl = tensor<1x2x?xf32>
!q = tensor<1x2x90x16xf32>
!t2 = tensor<1x2x300x16xf32>

// A heavy class in a list, with runs of two rows and a tile that is not whole.
func.func @tokens(%q: !t, %k: !t, %v: !t) -> (!t, !l) {
  %init = tensor.empty() : !t
  %lse = tensor.empty() : !l
  %o:2 = sparse_attn.attention mask(#sparse_attn.union<#sparse_attn.sliding_window<left = 15, right = 15>,
        #sparse_attn.global<tokens = [7, 8, 99, 100, 201, 202, 298, 299], direction = rows>>)
      plan(<tile = [16, 16], rows = [
        <"0" to "nq", segments = [<partial "max(0, q - 1)" to "min(19, q + 2)" where "j >= i - 15 and j < i + 16 and j < nk">]>,
        <"0" to "8" of list<[7, 99, 201, 298], width = 2, tile = 3>, heavy = true, segments = [
          <full "0" to "nk floordiv 16">, <partial "nk floordiv 16" to "(nk + 15) floordiv 16" where "j < nk">]>]>)
      ins(%q, %k, %v : !t, !t, !t) outs(%init, %lse : !t, !l) -> !t, !l
  return %o#0, %o#1 : !t, !l
}

func.func @halves(%q: !h, %k: !h, %v: !h) -> !h {
  %init = tensor.empty() : !h
  %o = sparse_attn.attention mask(#sparse_attn.union<#sparse_attn.sliding_window<left = 15, right = 15>,
        #sparse_attn.global<tokens = [7, 99, 201, 298], direction = rows>>)
      plan(<tile = [16, 16], rows = [
        <"0" to "nq", segments = [<partial "max(0, q - 1)" to "min(19, q + 2)">]>,
        <"0" to "4" of list<[7, 99, 201, 298], width = 1, tile = 16>, segments = [
          <full "0" to "nk floordiv 16">, <partial "nk floordiv 16" to "(nk + 15) floordiv 16">]>]>)
      ins(%q, %k, %v : !h, !h, !h) outs(%init : !h) -> !h
  return %o : !h
}

// Rows of a period in a lattice, each of which sees what the causal mask leaves it: the mask
// asks at the positions of the rows.
func.func @period(%q: !t, %k: !t, %v: !t) -> (!t, !l) {
  %init = tensor.empty() : !t
  %lse = tensor.empty() : !l
  %o:2 = sparse_attn.attention mask(#sparse_attn.causal)
      plan(<tile = [16, 16], rows = [
        <"0" to "nq", segments = [<partial "0" to "q + 1">]>,
        <"0" to "36" of lattice<step = 25, width = 3, shift = 22, tile = 6>, segments = [
          <full "0" to "(q * 50 + 22) floordiv 16">,
          <partial "(q * 50 + 22) floordiv 16" to "min(19, (q * 50 + 50 + 15) floordiv 16)" where "j < i + 1">]>]>)
      ins(%q, %k, %v : !t, !t, !t) outs(%init, %lse : !t, !l) -> !t, !l
  return %o#0, %o#1 : !t, !l
}

// Fewer queries than keys: row 0 stands at position 210, and one token is no row.
func.func @few(%q: !q, %k: !t2, %v: !t2) -> !q {
  %init = tensor.empty() : !q
  %o = sparse_attn.attention mask(#sparse_attn.union<#sparse_attn.sliding_window<left = 15, right = 15>,
        #sparse_attn.global<tokens = [7, 215, 298], direction = rows>>)
      plan(<tile = [16, 16], rows = [
        <"0" to "nq", segments = [<partial "0" to "19">]>,
        <"0" to "3" of list<[7, 215, 298], width = 1, tile = 16>, heavy = true, segments = [
          <full "0" to "18">, <partial "18" to "19" where "j < nk">]>]>)
      ins(%q, %k, %v : !q, !t2, !t2) outs(%init : !q) -> !q
  return %o : !q
}

// Which tokens are rows is known when the function runs.
func.func @unknown(%q: !d, %k: !d, %v: !d) -> (!d, !dl) {
  %c2 = arith.constant 2 : index
  %n = tensor.dim %q, %c2 : !d
  %init = tensor.empty(%n) : !d
  %lse = tensor.empty(%n) : !dl
  %o:2 = sparse_attn.attention mask(#sparse_attn.union<#sparse_attn.sliding_window<left = 15, right = 15>,
        #sparse_attn.global<tokens = [4, 99, 150, 199], direction = rows>>)
      plan(<tile = [16, 16], rows = [
        <"0" to "nq", segments = [<partial "0" to "(nk + 15) floordiv 16">]>,
        <"0" to "4" of list<[4, 99, 150, 199], width = 1, tile = 3>, heavy = true, segments = [
          <full "0" to "nk floordiv 16">, <partial "nk floordiv 16" to "(nk + 15) floordiv 16" where "j < nk">]>]>)
      ins(%q, %k, %v : !d, !d, !d) outs(%init, %lse : !d, !dl) -> !d, !dl
  return %o#0, %o#1 : !d, !dl
}

// The class has some of the slots of its list only: others of the last tile are another's rows.
func.func @some(%q: !t, %k: !t, %v: !t) -> (!t, !l) {
  %init = tensor.empty() : !t
  %lse = tensor.empty() : !l
  %o:2 = sparse_attn.attention mask(#sparse_attn.union<#sparse_attn.sliding_window<left = 15, right = 15>,
        #sparse_attn.global<tokens = [7, 99, 201], direction = rows>>)
      plan(<tile = [16, 16], rows = [
        <"0" to "nq", segments = [<partial "max(0, q - 1)" to "min(19, q + 2)">]>,
        <"0" to "3" of list<[7, 99, 201, 250, 298], width = 1, tile = 16>, heavy = true, segments = [
          <full "0" to "nk floordiv 16">, <partial "nk floordiv 16" to "(nk + 15) floordiv 16" where "j < nk">]>]>)
      ins(%q, %k, %v : !t, !t, !t) outs(%init, %lse : !t, !l) -> !t, !l
  return %o#0, %o#1 : !t, !l
}

// Tiles that lie in one run are of neighbours, and tiles that straddle runs are not. Of the rows
// of the first run some may not exist.
func.func @runs(%q: !d, %k: !d, %v: !d) -> (!d, !dl) {
  %c2 = arith.constant 2 : index
  %n = tensor.dim %q, %c2 : !d
  %init = tensor.empty(%n) : !d
  %lse = tensor.empty(%n) : !dl
  %o:2 = sparse_attn.attention mask(#sparse_attn.causal)
      plan(<tile = [16, 16], rows = [
        <"0" to "nq", segments = [<partial "0" to "(nk + 15) floordiv 16">]>,
        <"0" to "nk floordiv 64 * 32 + 32" of lattice<step = 64, width = 32, shift = 32, tile = 16>, segments = [
          <partial "0" to "(nk + 15) floordiv 16" where "j < i + 1 and j < nk">]>]>)
      ins(%q, %k, %v : !d, !d, !d) outs(%init, %lse : !d, !dl) -> !d, !dl
  return %o#0, %o#1 : !d, !dl
}

func.func @slots(%q: !d, %k: !d, %v: !d) -> (!d, !dl) {
  %c2 = arith.constant 2 : index
  %n = tensor.dim %q, %c2 : !d
  %init = tensor.empty(%n) : !d
  %lse = tensor.empty(%n) : !dl
  %o:2 = sparse_attn.attention mask(#sparse_attn.causal)
      plan(<tile = [16, 16], rows = [
        <"0" to "nq", segments = [<partial "0" to "(nk + 15) floordiv 16">]>,
        <"0" to "nk floordiv 32 * 8 + 8" of lattice<step = 32, width = 8, shift = 24, tile = 48>, segments = [
          <partial "0" to "(nk + 15) floordiv 16" where "j < i + 1 and j < nk">]>]>)
      ins(%q, %k, %v : !d, !d, !d) outs(%init, %lse : !d, !dl) -> !d, !dl
  return %o#0, %o#1 : !d, !dl
}
