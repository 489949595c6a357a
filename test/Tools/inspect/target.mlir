// Tiles are those that the pipeline for a target chooses, and so is what is counted by
// them; without a target those of the planning pass.
//
// RUN: split-file %s %t
// RUN: sparse-attn-inspect %t/causal.mlir --format=json | FileCheck %s --check-prefix=CPU
// RUN: sparse-attn-inspect %t/causal.mlir --format=json --target=cpu | FileCheck %s --check-prefix=CPU
// RUN: sparse-attn-inspect %t/causal.mlir --format=json --target=x86-64-v3 | FileCheck %s --check-prefix=CPU
// RUN: sparse-attn-inspect %t/causal.mlir --format=json --target=sm_80 | FileCheck %s --check-prefix=GPU
// RUN: sparse-attn-inspect %t/causal.mlir --target=sm_80 | FileCheck %s --check-prefix=TEXT
//
// 6 x 4 tiles of 48 x 64 in 256 x 256 pairs, twice, and 2 x 4 of 128 x 64, of which two
// warps in four leave one of two partial ones out. The last
// row of the former has 16 queries: 48 * 64 * (1 + 2 + 3 + 3 + 4) + 16 * 64 * 4 pairs of
// a head are in visited tiles.
//
// CPU:      "live_pairs": 65792
// CPU:      "tile": [
// CPU-NEXT:   48,
// CPU-NEXT:   64
// CPU:      "tiles": {
// CPU-NEXT:   "empty": 14,
// CPU-NEXT:   "full": 18,
// CPU-NEXT:   "partial": 16
// CPU-NEXT: },
// CPU-NEXT: "total_pairs": 131072,
// CPU-NEXT: "visited_pairs": 88064,
// CPU-NEXT: "waste": 1.3385
//
// GPU:      "live_pairs": 65792
// GPU:      "tile": [
// GPU-NEXT:   128,
// GPU-NEXT:   64
// GPU:      "tiles": {
// GPU-NEXT:   "empty": 4,
// GPU-NEXT:   "full": 4,
// GPU-NEXT:   "partial": 8
// GPU-NEXT: },
// GPU-NEXT: "total_pairs": 131072,
// GPU-NEXT: "visited_pairs": 81920,
// GPU-NEXT: "waste": 1.245
//
// TEXT:     plan      tile 128 x 64
// TEXT:     tiles     4 full, 8 partial, 4 empty

// Chips differ by their shared memory: the queries of 64 x 16 do not fit beside two
// tiles of keys and values. The compiler's tiles are the same.
//
// RUN: sparse-attn-inspect %t/wide.mlir --target=sm_90 | FileCheck %s --check-prefix=LARGE
// RUN: sparse-attn-inspect %t/wide.mlir --target=sm_86 | FileCheck %s --check-prefix=SMALL
// RUN: sparse-attn-compile %t/wide.mlir --target=sm_86 --emit=manifest -o %t/package
// RUN: FileCheck %s --check-prefix=MANIFEST < %t/package/manifest.json
// LARGE:    plan      tile 64 x 16
// SMALL:    plan      tile 32 x 16
// MANIFEST: "tile": [32,16]

// A plan in the file stays, and must not be another's.
//
// RUN: sparse-attn-inspect %t/planned.mlir | FileCheck %s --check-prefix=KEPT
// RUN: sparse-attn-inspect %t/planned.mlir --target=cpu | FileCheck %s --check-prefix=KEPT
// RUN: not sparse-attn-inspect %t/planned.mlir --target=sm_90 2>&1 | FileCheck %s --check-prefix=DIFFER
// KEPT:      plan      tile 16 x 16
// KEPT-NEXT:           rows 0 to
// KEPT-NEXT:             partial 0 to
// DIFFER: sparse-attn-inspect: error: the attention in @planned has a plan with tiles of 16 x 16, and --target=sm_90 would choose 64 x 64; leave out one of the two

// Warps of 32 rows leave out the tiles of 64 keys that none of their rows reaches: of a
// head, six of eight have two tiles and two have one.
//
// RUN: sparse-attn-inspect %t/window.mlir --format=json --target=sm_80 | FileCheck %s --check-prefix=WARPS
// RUN: sparse-attn-inspect %t/window.mlir --format=json --target=sm_86 | FileCheck %s --check-prefix=BLOCKS
// WARPS:  "visited_pairs": 57344,
// BLOCKS: "visited_pairs": 98304,

// Where the function cannot become kernels, whole tiles are counted.
//
// RUN: sparse-attn-inspect %t/gather.mlir --format=json --target=sm_80 2>%t/warning | FileCheck %s --check-prefix=BLOCKS
// RUN: FileCheck %s --check-prefix=WARNING < %t/warning
// WARNING: sparse-attn-inspect: warning: pairs are counted by whole tiles, as no kernels can be made for sm_80: op was not bufferized

// RUN: not sparse-attn-inspect %t/causal.mlir --target=sm_99 -o %t/out 2>&1 | FileCheck %s --check-prefix=UNKNOWN
// RUN: not ls %t/out
// RUN: not sparse-attn-inspect %t/causal.mlir --target= 2>&1 | FileCheck %s --check-prefix=NOTARGET
// NOTARGET: sparse-attn-inspect: error: unknown --target ''; use cpu or gpu
// UNKNOWN-NOT: causal.mlir
// UNKNOWN: sparse-attn-inspect: error: unknown --target 'sm_99'; use cpu or gpu, or one of x86-64-v2, x86-64-v3, x86-64-v4, armv8-a, sm_80, sm_86,

// What a chip cannot compute has no tiles on it.
//
// RUN: sparse-attn-inspect %t/narrow.mlir --target=cpu | FileCheck %s --check-prefix=NARROW
// RUN: not sparse-attn-inspect %t/narrow.mlir --target=sm_80 2>&1 | FileCheck %s --check-prefix=REFUSED
// NARROW:  plan      tile 48 x 64
// REFUSED: narrow.mlir:3:8: error: 'sparse_attn.attention' op has a head size of 12 for its query
// REFUSED: sparse-attn-inspect: error: planning failed

//--- causal.mlir
func.func @causal(%x: tensor<1x2x256x64xf16>, %o: tensor<1x2x256x64xf16>)
    -> tensor<1x2x256x64xf16> {
  %r = sparse_attn.attention mask(#sparse_attn.causal)
      ins(%x, %x, %x : tensor<1x2x256x64xf16>, tensor<1x2x256x64xf16>,
                       tensor<1x2x256x64xf16>)
      outs(%o : tensor<1x2x256x64xf16>) -> tensor<1x2x256x64xf16>
  return %r : tensor<1x2x256x64xf16>
}

//--- wide.mlir
func.func @wide(%x: tensor<1x2x256x256xf32>, %o: tensor<1x2x256x256xf32>)
    -> tensor<1x2x256x256xf32> {
  %r = sparse_attn.attention mask(#sparse_attn.causal)
      ins(%x, %x, %x : tensor<1x2x256x256xf32>, tensor<1x2x256x256xf32>,
                       tensor<1x2x256x256xf32>)
      outs(%o : tensor<1x2x256x256xf32>) -> tensor<1x2x256x256xf32>
  return %r : tensor<1x2x256x256xf32>
}

//--- planned.mlir
func.func @planned(%x: tensor<1x2x64x64xf16>, %o: tensor<1x2x64x64xf16>)
    -> tensor<1x2x64x64xf16> {
  %r = sparse_attn.attention
      mask(#sparse_attn.sliding_window<left = 8, right = 8>)
      plan(#sparse_attn.plan<tile = [16, 16], rows = [
        <"0" to "nq", segments = [<partial "0" to "(nk + 15) floordiv 16">]>]>)
      ins(%x, %x, %x : tensor<1x2x64x64xf16>, tensor<1x2x64x64xf16>,
                       tensor<1x2x64x64xf16>)
      outs(%o : tensor<1x2x64x64xf16>) -> tensor<1x2x64x64xf16>
  return %r : tensor<1x2x64x64xf16>
}

//--- narrow.mlir
func.func @narrow(%x: tensor<1x2x64x12xf16>, %o: tensor<1x2x64x12xf16>)
    -> tensor<1x2x64x12xf16> {
  %r = sparse_attn.attention mask(#sparse_attn.causal)
      ins(%x, %x, %x : tensor<1x2x64x12xf16>, tensor<1x2x64x12xf16>,
                       tensor<1x2x64x12xf16>)
      outs(%o : tensor<1x2x64x12xf16>) -> tensor<1x2x64x12xf16>
  return %r : tensor<1x2x64x12xf16>
}

//--- window.mlir
!t = tensor<1x2x256x64xf16>
func.func @window(%q: !t, %k: !t, %v: !t, %init: !t) -> !t {
  %o = sparse_attn.attention mask(#sparse_attn.sliding_window<left = 8, right = 8>)
      ins(%q, %k, %v : !t, !t, !t) outs(%init : !t) -> !t
  return %o : !t
}

//--- gather.mlir
!t = tensor<1x2x256x64xf16>
!u = tensor<4x1x2x1x64xf16>
func.func @gather(%q: !t, %k: !t, %v: !t, %init: !t, %rows: tensor<4x1xindex>) -> !u {
  %o = sparse_attn.attention mask(#sparse_attn.sliding_window<left = 8, right = 8>)
      ins(%q, %k, %v : !t, !t, !t) outs(%init : !t) -> !t
  %some = tensor.gather %o[%rows] gather_dims([2]) : (!t, tensor<4x1xindex>) -> !u
  return %some : !u
}
