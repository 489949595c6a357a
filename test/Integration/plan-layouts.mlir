// Columns of keys, in a lattice or listed, get tiles of their own, which are proven, and
// computed as the mask says: at ragged lengths, at lengths that are not known, for halves,
// and in plans written by hand.
//
// RUN: sparse-attn-opt %s --sparse-attn-plan --sparse-attn-prove-plan=fail-unsupported -o %t.mlir
// RUN: FileCheck %s --input-file=%t.mlir
// RUN: sparse-attn-run %s --entry=fixed --seed=3 --check=all
// RUN: sparse-attn-run %s --entry=columns --seed=3 --check=all
// RUN: sparse-attn-run %s --entry=tokens --seed=3 --check=all
// RUN: sparse-attn-run %s --entry=dynamic --shape=Sq=300,Sk=333 --seed=3 --check=all
// RUN: sparse-attn-run %s --entry=dynamic --shape=Sq=40,Sk=20 --seed=3 --check=all
// RUN: sparse-attn-run %s --entry=listed --shape=Sq=200,Sk=150 --seed=3 --check=all
// RUN: sparse-attn-run %s --entry=listed --shape=Sq=0,Sk=0 --seed=3
// RUN: sparse-attn-run %s --entry=mixed --seed=3 --check=all
// RUN: sparse-attn-run %s --entry=by_hand --seed=3 --check=all
//
// Kernels on GPUs load them, too; those of them whose tiles they take.
// RUN: sparse-attn-run %s --entry=fixed --seed=3 --check=all --device=emulator
// RUN: sparse-attn-run %s --entry=columns --seed=3 --check=all --device=emulator
// RUN: sparse-attn-run %s --entry=tokens --seed=3 --check=all --device=emulator
// RUN: sparse-attn-run %s --entry=dynamic --shape=Sq=300,Sk=333 --seed=3 --check=all --device=emulator
// RUN: sparse-attn-run %s --entry=dynamic --shape=Sq=40,Sk=20 --seed=3 --check=all --device=emulator
// RUN: sparse-attn-run %s --entry=listed --shape=Sq=200,Sk=150 --seed=3 --check=all --device=emulator
// RUN: sparse-attn-run %s --entry=listed --shape=Sq=0,Sk=0 --seed=3 --device=emulator
// RUN: sparse-attn-run %s --entry=mixed --seed=3 --check=all --device=emulator
// RUN: not sparse-attn-run %s --entry=by_hand --device=emulator 2>&1 | FileCheck %s --check-prefix=ERROR
// ERROR: error: {{.*}}moves a tile of 24 rows; tiles in memory have a multiple of 16
!h = tensor<2x2x333x16xbf16>
!t = tensor<1x2x500x16xf32>
!d = tensor<1x2x?x16xf32>

// CHECK-LABEL: func.func @fixed
// CHECK:         partial {{.*}} of lattice<step = 32, width = 3, shift = 29, tile = 32> where "j < i floordiv 32 * 32"
func.func @fixed(%q: !h, %k: !h, %v: !h) -> !h {
  %init = tensor.empty() : !h
  %o = sparse_attn.attention mask(#sparse_attn.sparse_transformer_fixed<stride = 32, columns = 3>)
      ins(%q, %k, %v : !h, !h, !h) outs(%init : !h) -> !h
  return %o : !h
}

// CHECK-LABEL: func.func @columns
// CHECK:         full {{.*}} of lattice<step = 7, width = 1, shift = 6
func.func @columns(%q: !t, %k: !t, %v: !t) -> !t {
  %init = tensor.empty() : !t
  %o = sparse_attn.attention mask(#sparse_attn.periodic_columns<period = 7, last = 1>)
      ins(%q, %k, %v : !t, !t, !t) outs(%init : !t) -> !t
  return %o : !t
}

// CHECK-LABEL: func.func @tokens
// CHECK:         partial {{.*}} of list<[3, 78, 151, 199, 260, 301, 390, 441], width = 1, tile = 16> where
func.func @tokens(%q: !t, %k: !t, %v: !t) -> !t {
  %init = tensor.empty() : !t
  %o = sparse_attn.attention mask(#sparse_attn.union<#sparse_attn.sliding_window<left = 20, right = 20>,
      #sparse_attn.global<tokens = [78, 3, 151, 199, 260, 301, 390, 441], direction = columns>>)
      ins(%q, %k, %v : !t, !t, !t) outs(%init : !t) -> !t
  return %o : !t
}

// CHECK-LABEL: func.func @dynamic
// CHECK:         of lattice<step = 16, width = 2, shift = 14
func.func @dynamic(%q: !d, %k: !d, %v: !d) -> !d {
  %c2 = arith.constant 2 : index
  %n = tensor.dim %q, %c2 : !d
  %init = tensor.empty(%n) : !d
  %o = sparse_attn.attention mask(#sparse_attn.intersection<#sparse_attn.causal, #sparse_attn.union<
        #sparse_attn.sliding_window<left = 20, right = 0>, #sparse_attn.periodic_columns<period = 16, last = 2>>>)
      ins(%q, %k, %v : !d, !d, !d) outs(%init : !d) -> !d
  return %o : !d
}

// CHECK-LABEL: func.func @listed
// CHECK:         of list<[5, 78, 151, 199], width = 1, tile = 16>
func.func @listed(%q: !d, %k: !d, %v: !d) -> !d {
  %c2 = arith.constant 2 : index
  %n = tensor.dim %q, %c2 : !d
  %init = tensor.empty(%n) : !d
  %o = sparse_attn.attention mask(#sparse_attn.union<#sparse_attn.sliding_window<left = 20, right = 0>,
        #sparse_attn.global<tokens = [5, 78, 151, 199], direction = columns>>)
      ins(%q, %k, %v : !d, !d, !d) outs(%init : !d) -> !d
  return %o : !d
}

// Three parts, of which two have the key 78.
// CHECK-LABEL: func.func @mixed
// CHECK:         of lattice<step = 16, width = 2, shift = 14, tile = 32>
// CHECK:         of list<[5, 78, 151, 199], width = 1, tile = 16> where {{.*}}j mod 16 in 0 to 14
func.func @mixed(%q: !t, %k: !t, %v: !t) -> !t {
  %init = tensor.empty() : !t
  %o = sparse_attn.attention mask(#sparse_attn.intersection<#sparse_attn.causal, #sparse_attn.union<
        #sparse_attn.sliding_window<left = 20, right = 0>, #sparse_attn.periodic_columns<period = 16, last = 2>,
        #sparse_attn.global<tokens = [5, 78, 151, 199], direction = columns>>>)
      ins(%q, %k, %v : !t, !t, !t) outs(%init : !t) -> !t
  return %o : !t
}

// Each list has tiles of a size of its own, and runs are wider than tiles.
func.func @by_hand(%q: !t, %k: !t, %v: !t) -> !t {
  %init = tensor.empty() : !t
  %o = sparse_attn.attention mask(#sparse_attn.union<#sparse_attn.global<tokens = [7, 30], direction = columns>,
         #sparse_attn.intersection<#sparse_attn.causal, #sparse_attn.periodic_columns<period = 100, last = 50>>>)
      plan(<tile = [48, 64], rows = [<"0" to "500", segments = [
             <full "0" to "1" of list<[7, 30], width = 1, tile = 2>>,
             <partial "0" to "11" of lattice<step = 100, width = 50, shift = 50, tile = 24> where "j < i + 1 and j < nk">]>]>)
      ins(%q, %k, %v : !t, !t, !t) outs(%init : !t) -> !t
  return %o : !t
}
