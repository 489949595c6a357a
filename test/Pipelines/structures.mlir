// What a program may have around attention: each function comes out with its kernels.
//
// RUN: sparse-attn-opt %s --sparse-attn-nvvm-pipeline="emit=nvvm" --split-input-file | FileCheck %s
// RUN: sparse-attn-opt %s --sparse-attn-nvvm-pipeline --split-input-file | FileCheck %s --check-prefix=PTX
// RUN: sparse-attn-opt %s --sparse-attn-cpu-pipeline --split-input-file | FileCheck %s --check-prefix=CPU
//
// CPU-NOT: {{sparse_attn\.|scf\.}}

// PTX-COUNT-9: gpu.binary
// PTX-NOT:     gpu.binary

// CHECK-LABEL: func.func @attributes
// CHECK-SAME:    (%{{.*}}: memref<1x2x64x16xf32> {my.attr}) -> (memref<1x2x64x16xf32> {my.other})
// CHECK:         gpu.launch_func @attributes_kernels::@attributes_0
// CPU-LABEL:   llvm.func @attributes
func.func @attributes(%q: tensor<1x2x64x16xf32> {my.attr}) -> (tensor<1x2x64x16xf32> {my.other}) {
  %i = tensor.empty() : tensor<1x2x64x16xf32>
  %o = sparse_attn.attention mask(#sparse_attn.full) ins(%q, %q, %q : tensor<1x2x64x16xf32>, tensor<1x2x64x16xf32>, tensor<1x2x64x16xf32>) outs(%i : tensor<1x2x64x16xf32>) -> tensor<1x2x64x16xf32>
  return %o : tensor<1x2x64x16xf32>
}

// -----

// CHECK-LABEL: func.func @in_if
// CHECK:         scf.if
// CHECK:           gpu.launch_func @in_if_kernels::@in_if_0
// CHECK:         else
// CPU-LABEL:   llvm.func @in_if
func.func @in_if(%q: tensor<1x2x64x16xf32>, %c: i1) -> tensor<1x2x64x16xf32> {
  %r = scf.if %c -> tensor<1x2x64x16xf32> {
    %i = tensor.empty() : tensor<1x2x64x16xf32>
    %o = sparse_attn.attention mask(#sparse_attn.full) ins(%q, %q, %q : tensor<1x2x64x16xf32>, tensor<1x2x64x16xf32>, tensor<1x2x64x16xf32>) outs(%i : tensor<1x2x64x16xf32>) -> tensor<1x2x64x16xf32>
    scf.yield %o : tensor<1x2x64x16xf32>
  } else {
    scf.yield %q : tensor<1x2x64x16xf32>
  }
  return %r : tensor<1x2x64x16xf32>
}

// -----

// CHECK-LABEL: func.func @both_sides
// CHECK:         gpu.launch_func @both_sides_kernels::@both_sides_0
// CHECK:         else
// CHECK:         gpu.launch_func @both_sides_kernels::@both_sides_
// CPU-LABEL:   llvm.func @both_sides
!d = tensor<1x2x?x16xf32>
func.func @both_sides(%q: !d, %k: !d, %v: !d) -> !d {
  %c2 = arith.constant 2 : index
  %c128 = arith.constant 128 : index
  %s = tensor.dim %q, %c2 : !d
  %c = arith.cmpi sgt, %s, %c128 : index
  %init = tensor.empty(%s) : !d
  %r = scf.if %c -> (!d) {
    %o = sparse_attn.attention mask(#sparse_attn.longformer<window = 32, global_tokens = [0]>) ins(%q, %k, %v : !d, !d, !d) outs(%init : !d) -> !d
    scf.yield %o : !d
  } else {
    %o = sparse_attn.attention mask(#sparse_attn.full) ins(%q, %k, %v : !d, !d, !d) outs(%init : !d) -> !d
    scf.yield %o : !d
  }
  return %r : !d
}

// -----

// CHECK-LABEL: func.func @in_for
// CHECK:         scf.for
// CHECK:           gpu.launch_func @in_for_kernels::@in_for_0
// CPU-LABEL:   llvm.func @in_for
func.func @in_for(%q: tensor<1x2x64x16xf32>, %n: index) -> tensor<1x2x64x16xf32> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %r = scf.for %t = %c0 to %n step %c1 iter_args(%x = %q) -> (tensor<1x2x64x16xf32>) {
    %i = tensor.empty() : tensor<1x2x64x16xf32>
    %o = sparse_attn.attention mask(#sparse_attn.full) ins(%x, %q, %q : tensor<1x2x64x16xf32>, tensor<1x2x64x16xf32>, tensor<1x2x64x16xf32>) outs(%i : tensor<1x2x64x16xf32>) -> tensor<1x2x64x16xf32>
    scf.yield %o : tensor<1x2x64x16xf32>
  }
  return %r : tensor<1x2x64x16xf32>
}

// -----

// CHECK-LABEL: func.func @in_while
// CHECK:         scf.while
// CHECK:           gpu.launch_func @in_while_kernels::@in_while_0
// CPU-LABEL:   llvm.func @in_while
func.func @in_while(%q: tensor<1x2x64x16xf32>, %n: index) -> tensor<1x2x64x16xf32> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %r:2 = scf.while (%x = %q, %t = %c0) : (tensor<1x2x64x16xf32>, index) -> (tensor<1x2x64x16xf32>, index) {
    %more = arith.cmpi slt, %t, %n : index
    scf.condition(%more) %x, %t : tensor<1x2x64x16xf32>, index
  } do {
  ^bb0(%x: tensor<1x2x64x16xf32>, %t: index):
    %i = tensor.empty() : tensor<1x2x64x16xf32>
    %o = sparse_attn.attention mask(#sparse_attn.full) ins(%x, %q, %q : tensor<1x2x64x16xf32>, tensor<1x2x64x16xf32>, tensor<1x2x64x16xf32>) outs(%i : tensor<1x2x64x16xf32>) -> tensor<1x2x64x16xf32>
    %next = arith.addi %t, %c1 : index
    scf.yield %o, %next : tensor<1x2x64x16xf32>, index
  }
  return %r#0 : tensor<1x2x64x16xf32>
}

// -----

// CHECK-LABEL: func.func @in_region
// CHECK:         gpu.launch_func @in_region_kernels::@in_region_0
// CPU-LABEL:   llvm.func @in_region
func.func @in_region(%q: tensor<1x2x64x16xf32>) -> tensor<1x2x64x16xf32> {
  %r = scf.execute_region -> tensor<1x2x64x16xf32> {
    %i = tensor.empty() : tensor<1x2x64x16xf32>
    %o = sparse_attn.attention mask(#sparse_attn.full) ins(%q, %q, %q : tensor<1x2x64x16xf32>, tensor<1x2x64x16xf32>, tensor<1x2x64x16xf32>) outs(%i : tensor<1x2x64x16xf32>) -> tensor<1x2x64x16xf32>
    scf.yield %o : tensor<1x2x64x16xf32>
  }
  return %r : tensor<1x2x64x16xf32>
}

// -----

// CHECK-LABEL: func.func @in_switch
// CHECK:         scf.index_switch
// CHECK:           gpu.launch_func @in_switch_kernels::@in_switch_0
// CPU-LABEL:   llvm.func @in_switch
func.func @in_switch(%q: tensor<1x2x64x16xf32>, %n: index) -> tensor<1x2x64x16xf32> {
  %r = scf.index_switch %n -> tensor<1x2x64x16xf32>
  case 1 {
    %i = tensor.empty() : tensor<1x2x64x16xf32>
    %o = sparse_attn.attention mask(#sparse_attn.full) ins(%q, %q, %q : tensor<1x2x64x16xf32>, tensor<1x2x64x16xf32>, tensor<1x2x64x16xf32>) outs(%i : tensor<1x2x64x16xf32>) -> tensor<1x2x64x16xf32>
    scf.yield %o : tensor<1x2x64x16xf32>
  }
  default {
    scf.yield %q : tensor<1x2x64x16xf32>
  }
  return %r : tensor<1x2x64x16xf32>
}

// -----

// CHECK-LABEL: func.func @in_block
// CHECK:         cf.cond_br
// CHECK:         gpu.launch_func @in_block_kernels::@in_block_0
// CPU-LABEL:   llvm.func @in_block
func.func @in_block(%q: tensor<1x2x64x16xf32>, %c: i1) -> tensor<1x2x64x16xf32> {
  cf.cond_br %c, ^then, ^else
^then:
  %i = tensor.empty() : tensor<1x2x64x16xf32>
  %o = sparse_attn.attention mask(#sparse_attn.full) ins(%q, %q, %q : tensor<1x2x64x16xf32>, tensor<1x2x64x16xf32>, tensor<1x2x64x16xf32>) outs(%i : tensor<1x2x64x16xf32>) -> tensor<1x2x64x16xf32>
  return %o : tensor<1x2x64x16xf32>
^else:
  return %q : tensor<1x2x64x16xf32>
}

// -----

// The kernels belong to the function that has the attention; the other calls it.
//
// CHECK-LABEL: func.func private @inner
// CHECK:         gpu.launch_func @inner_kernels::@inner_0
// CHECK-LABEL: func.func @outer
// CHECK:         call @inner
// CPU-LABEL:   llvm.func @inner
// CPU-LABEL:   llvm.func @outer
// CPU:           llvm.call @inner
func.func private @inner(%q: tensor<1x2x64x16xf32>) -> tensor<1x2x64x16xf32> {
  %i = tensor.empty() : tensor<1x2x64x16xf32>
  %o = sparse_attn.attention mask(#sparse_attn.causal) ins(%q, %q, %q : tensor<1x2x64x16xf32>, tensor<1x2x64x16xf32>, tensor<1x2x64x16xf32>) outs(%i : tensor<1x2x64x16xf32>) -> tensor<1x2x64x16xf32>
  return %o : tensor<1x2x64x16xf32>
}
func.func @outer(%q: tensor<1x2x64x16xf32>) -> tensor<1x2x64x16xf32> {
  %o = call @inner(%q) : (tensor<1x2x64x16xf32>) -> tensor<1x2x64x16xf32>
  return %o : tensor<1x2x64x16xf32>
}
