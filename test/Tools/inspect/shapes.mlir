// RUN: sparse-attn-inspect %s --shape=B=3 --shape=H=4 --shape=S=64 \
// RUN:   | FileCheck %s --check-prefix=ALL
// RUN: sparse-attn-inspect %s --shape=B=3,H=4,S=64 \
// RUN:   | FileCheck %s --check-prefix=ALL
// RUN: sparse-attn-inspect %s --shape=Sq=1,B=3,H=4 --shape=S=64 \
// RUN:   | FileCheck %s --check-prefix=DECODE

// ALL:    shape     Q 3x4x64x8, K 3x4x64x8, V 3x4x64x8 of f32
// ALL:    pairs     8320 of 16384 live

// Sq wins over S, and the one query stands behind all keys.
// DECODE: shape     Q 3x4x1x8, K 3x4x64x8, V 3x4x64x8 of f32
// DECODE: pairs     256 of 256 live
// DECODE: query 63 |####

!t = tensor<?x?x?x8xf32>

func.func @f(%q: !t, %k: !t) -> !t {
  %o = sparse_attn.attention mask(#sparse_attn.causal)
      ins(%q, %k, %k : !t, !t, !t) outs(%q : !t) -> !t
  return %o : !t
}

// RUN: not sparse-attn-inspect %s --shape=B=3,H=4 2>&1 \
// RUN:   | FileCheck %s --check-prefix=UNBOUND
// UNBOUND: sparse-attn-inspect: error: the number of queries of the attention in @f is dynamic; give it with --shape=S=SIZE

// RUN: not sparse-attn-inspect %s --shape=N=3 2>&1 \
// RUN:   | FileCheck %s --check-prefix=KEY
// KEY: sparse-attn-inspect: error: unknown size 'N' in --shape=N=3; expected KEY=SIZE with a key of B, H, S, Sq, Sk

// RUN: not sparse-attn-inspect %s --shape=S=-1 2>&1 \
// RUN:   | FileCheck %s --check-prefix=VALUE
// RUN: not sparse-attn-inspect %s --shape=S 2>&1 \
// RUN:   | FileCheck %s --check-prefix=VALUE
// RUN: not sparse-attn-inspect %s --shape=S=4k 2>&1 \
// RUN:   | FileCheck %s --check-prefix=VALUE
// VALUE: sparse-attn-inspect: error: --shape=S{{.*}}: the size must be an integer of at least 0

// RUN: not sparse-attn-inspect %s --shape=S=8,S=9 2>&1 \
// RUN:   | FileCheck %s --check-prefix=TWICE
// TWICE: sparse-attn-inspect: error: --shape gives 'S' twice

// RUN: not sparse-attn-inspect %s --shape=B=9000000000,H=1000,S=900000 2>&1 \
// RUN:   | FileCheck %s --check-prefix=HUGE
// HUGE: sparse-attn-inspect: error: the attention in @f is too large for its costs to be counted

// RUN: not sparse-attn-inspect %s --shape=B=1,H=1,S=1073741824 2>&1 \
// RUN:   | FileCheck %s --check-prefix=LONG
// LONG: sparse-attn-inspect: error: --shape=S=1073741824: sequences must be shorter than 1073741824

// RUN: not sparse-attn-inspect %examples/longformer.mlir --shape=S=4096 2>&1 \
// RUN:   | FileCheck %s --check-prefix=NOTHING
// NOTHING: sparse-attn-inspect: error: --shape=S=4096 binds nothing in {{.*}}longformer.mlir: no size that it speaks of is dynamic there and without a value; leave it out

// RUN: not sparse-attn-inspect %examples/longformer.mlir --shape=S=512 2>&1 \
// RUN:   | FileCheck %s --check-prefix=CONTRADICTION
// CONTRADICTION: sparse-attn-inspect: error: --shape=S=512 contradicts @longformer, where the number of queries is always 4096

// RUN: not sparse-attn-inspect %S/Inputs/dynamic.mlir --shape=H=3,S=8 2>&1 \
// RUN:   | FileCheck %s --check-prefix=HEADS
// HEADS: sparse-attn-inspect: error: the attention in @dynamic has 3 query heads, which is no multiple of its 2 key heads

// What the verifier could not ask of dynamic lengths is asked here.
// RUN: not sparse-attn-inspect %S/Inputs/dynamic.mlir --shape=H=4,S=8 2>&1 \
// RUN:   | FileCheck %s --check-prefix=TOKENS
// TOKENS: dynamic.mlir:4:{{[0-9]+}}: error: 'sparse_attn.attention' op {{.*}}8
// TOKENS: sparse-attn-inspect: error: the mask in @dynamic does not fit 8 queries and 8 keys
