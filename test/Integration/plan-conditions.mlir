// Masks whose parts are live in some of the query tiles: their segments and draws have
// conditions, which are proven, visited and lowered as they are planned.
//
// RUN: sparse-attn-opt %s --sparse-attn-plan="tile-queries=16 tile-keys=16" --sparse-attn-prove-plan -o %t.mlir
// RUN: FileCheck %s --input-file=%t.mlir
// RUN: sparse-attn-run %t.mlir --entry=rows --seed=3 --check=all
// RUN: sparse-attn-run %t.mlir --entry=drawn --seed=3 --check=all
// RUN: sparse-attn-run %t.mlir --entry=dynamic --shape=Sq=4200,Sk=4250 --seed=3 --check=64
!t = tensor<1x1x4200x16xf32>
!d = tensor<1x1x?x16xf32>

// CHECK-LABEL: func.func @rows
// CHECK:         when "{{.*}} > 0"
func.func @rows(%q: !t, %k: !t, %v: !t) -> !t {
  %init = tensor.empty() : !t
  %o = sparse_attn.attention mask(#sparse_attn.union<
        #sparse_attn.intersection<#sparse_attn.complement<#sparse_attn.global<first = 4100, direction = rows>>,
                                  #sparse_attn.prefix<length = 40>>,
        #sparse_attn.sliding_window<left = 8, right = 0>>)
      ins(%q, %k, %v : !t, !t, !t) outs(%init : !t) -> !t
  return %o : !t
}

// CHECK-LABEL: func.func @drawn
// CHECK:         draws = [<{{.*}} when "{{.*}} > 0">
func.func @drawn(%q: !t, %k: !t, %v: !t) -> !t {
  %init = tensor.empty() : !t
  %o = sparse_attn.attention mask(#sparse_attn.union<
        #sparse_attn.intersection<#sparse_attn.complement<#sparse_attn.global<first = 4100, direction = rows>>,
                                  #sparse_attn.random<block = 32, blocks_per_row = 2>>,
        #sparse_attn.sliding_window<left = 8, right = 0>>)
      ins(%q, %k, %v : !t, !t, !t) outs(%init : !t) -> !t
  return %o : !t
}

// CHECK-LABEL: func.func @dynamic
// CHECK:         when "{{.*}} > 0"
func.func @dynamic(%q: !d, %k: !d, %v: !d) -> !d {
  %c2 = arith.constant 2 : index
  %n = tensor.dim %q, %c2 : !d
  %init = tensor.empty(%n) : !d
  %o = sparse_attn.attention mask(#sparse_attn.union<
        #sparse_attn.intersection<#sparse_attn.complement<#sparse_attn.global<first = 4100, direction = rows>>,
                                  #sparse_attn.prefix<length = 40>>,
        #sparse_attn.sliding_window<left = 8, right = 0>>)
      ins(%q, %k, %v : !d, !d, !d) outs(%init : !d) -> !d
  return %o : !d
}
