// Tiles by target: a chip has its own limit of shared memory; `gpu` and `cpu` are any
// target of their kind.
//
// RUN: sparse-attn-opt %s --sparse-attn-plan="target=sm_80 stages=4" | FileCheck %s --check-prefix=SM80
// RUN: sparse-attn-opt %s --sparse-attn-plan="target=sm_86 stages=4" | FileCheck %s --check-prefix=SM86
// RUN: sparse-attn-opt %s --sparse-attn-plan="target=gpu stages=4" | FileCheck %s --check-prefix=GPU
// RUN: sparse-attn-opt %s --sparse-attn-plan="target=gpu stages=4 shared-limit=101376" | FileCheck %s --check-prefix=SM86
// RUN: sparse-attn-opt %s --sparse-attn-plan="target=x86-64-v3" | FileCheck %s --check-prefix=CPU
// RUN: sparse-attn-opt %s --sparse-attn-plan="target=cpu" | FileCheck %s --check-prefix=CPU
!t = tensor<1x4x?x128xbf16>

// SM80: plan(<tile = [128, 48],
// SM86: plan(<tile = [128, 32],
// GPU:  plan(<tile = [128, 48],
// CPU:  plan(<tile = [48, 64],
func.func @causal(%q: !t, %init: !t) -> !t {
  %o = sparse_attn.attention mask(#sparse_attn.causal) ins(%q, %q, %q : !t, !t, !t) outs(%init : !t) -> !t
  return %o : !t
}
