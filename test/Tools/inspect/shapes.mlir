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

// Query heads and key heads apart; the names of one win over those of both.
// RUN: sparse-attn-inspect %s --shape=B=1,Hq=6,Hkv=2 --shape=Sq=1,Sk=64 \
// RUN:   | FileCheck %s --check-prefix=GROUPED
// RUN: sparse-attn-inspect %s --shape=B=1,H=2,Hq=6,S=64,Sq=1 \
// RUN:   | FileCheck %s --check-prefix=GROUPED
// GROUPED: shape     Q 1x6x1x8, K 1x2x64x8, V 1x2x64x8 of f32

!t = tensor<?x?x?x8xf32>

func.func @f(%q: !t, %k: !t) -> !t {
  %o = sparse_attn.attention mask(#sparse_attn.causal)
      ins(%q, %k, %k : !t, !t, !t) outs(%q : !t) -> !t
  return %o : !t
}

// RUN: not sparse-attn-inspect %s --shape=B=3,H=4 2>&1 \
// RUN:   | FileCheck %s --check-prefix=UNBOUND
// UNBOUND: sparse-attn-inspect: error: the number of queries of @f is dynamic; give it with --shape=Sq=SIZE or --shape=S=SIZE

// RUN: not sparse-attn-inspect %s --shape=N=3 2>&1 \
// RUN:   | FileCheck %s --check-prefix=KEY
// KEY: sparse-attn-inspect: error: unknown size 'N' in --shape=N=3; expected NAME=SIZE with a name of B, Hq, Hkv, Sq, Sk, H, S or argI_dimD

// RUN: not sparse-attn-inspect %s --shape=S=-1 2>&1 \
// RUN:   | FileCheck %s --check-prefix=VALUE
// RUN: not sparse-attn-inspect %s --shape=S 2>&1 \
// RUN:   | FileCheck %s --check-prefix=VALUE
// RUN: not sparse-attn-inspect %s --shape=S=4k 2>&1 \
// RUN:   | FileCheck %s --check-prefix=VALUE
// VALUE: sparse-attn-inspect: error: --shape=S{{.*}}: the size must be an integer of at least 0

// RUN: not sparse-attn-inspect %s --shape=S=8,S=9 2>&1 \
// RUN:   | FileCheck %s --check-prefix=TWICE
// TWICE: sparse-attn-inspect: error: --shape gives 'S' twice; give each of B, Hq, Hkv, Sq, Sk, H, S or argI_dimD once at most

// RUN: not sparse-attn-inspect %s --shape=B=9000000000,H=1000,S=900000 2>&1 \
// RUN:   | FileCheck %s --check-prefix=HUGE
// HUGE: sparse-attn-inspect: error: the attention in @f is too large for its costs to be counted

// RUN: not sparse-attn-inspect %s --shape=B=1,H=1,S=1073741824 2>&1 \
// RUN:   | FileCheck %s --check-prefix=LONG
// LONG: sparse-attn-inspect: error: --shape=S=1073741824: sequences must be shorter than 1073741824

// RUN: not sparse-attn-inspect %examples/longformer.mlir --shape=S=4096 2>&1 \
// RUN:   | FileCheck %s --check-prefix=NOTHING
// NOTHING: sparse-attn-inspect: error: --shape=S=4096 binds nothing in {{.*}}longformer.mlir: the number of queries of @longformer is 4096 by its type; leave it out, or write '?' instead of 4096 there to make it dynamic

// RUN: not sparse-attn-inspect %s --shape=B=1,H=1,S=8,arg0_dim3=4 2>&1 \
// RUN:   | FileCheck %s --check-prefix=OTHER
// RUN: not sparse-attn-inspect %s --shape=arg0_dim3=4 2>&1 \
// RUN:   | FileCheck %s --check-prefix=OTHER
// OTHER: sparse-attn-inspect: error: --shape=arg0_dim3=4 binds nothing in {{.*}}shapes.mlir: no dynamic size has that name there (B, Hq, Hkv, Sq, Sk); leave it out

// RUN: not sparse-attn-inspect %examples/longformer.mlir --shape=S=512 2>&1 \
// RUN:   | FileCheck %s --check-prefix=STATIC
// STATIC: sparse-attn-inspect: error: --shape=S=512 binds nothing in {{.*}}longformer.mlir: the number of queries of @longformer is 4096 by its type; leave it out, or write '?' instead of 4096 there to make it dynamic

// RUN: not sparse-attn-inspect %s --shape=B=1,H=2,Sq=4,Sk=8,S=8 2>&1 \
// RUN:   | FileCheck %s --check-prefix=WEAKER
// WEAKER: sparse-attn-inspect: error: --shape=S=8 binds nothing in {{.*}}shapes.mlir: the number of queries of @f is 4 by --shape=Sq=4; leave it out

// RUN: not sparse-attn-inspect %S/Inputs/dynamic.mlir --shape=H=3,S=8 2>&1 \
// RUN:   | FileCheck %s --check-prefix=HEADS
// HEADS: sparse-attn-inspect: error: the attention in @dynamic has 3 query heads, which is no multiple of its 2 key heads

// A token outside of a sequence whose length is no part of the type is never global,
// here as where it runs.
// RUN: sparse-attn-inspect %S/Inputs/dynamic.mlir --shape=H=4,S=8 --prove | FileCheck %s --check-prefix=TOKENS
// TOKENS: pairs     {{[0-9]+}} of 256 live
// TOKENS: proof     proven
// RUN: sparse-attn-run %S/Inputs/dynamic.mlir --shape=H=4,S=8 --check=all

// One tensor of queries and keys has one length, and one number of heads.
// RUN: sparse-attn-inspect %S/Inputs/self.mlir --shape=Hq=2,Sk=8 \
// RUN:   | FileCheck %s --check-prefix=SELF
// SELF: shape     Q 1x2x8x8, K 1x2x8x8, V 1x2x8x8 of f32
// RUN: not sparse-attn-inspect %S/Inputs/self.mlir --shape=H=2,Sq=4,Sk=8 2>&1 \
// RUN:   | FileCheck %s --check-prefix=BOTH
// BOTH: sparse-attn-inspect: error: --shape=Sq=4 and --shape=Sk=8 contradict each other: the number of queries of @self is both
