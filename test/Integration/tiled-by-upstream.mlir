// Attention that upstream's transform dialect has cut into tiles gives what the
// whole gives: global tokens, random blocks of each head, key heads of a group
// and rows after a cache are found from the tile's origin.
//
// RUN: sparse-attn-opt %s --transform-preload-library=transform-library-paths=%S/Inputs/tile-schedule.mlir \
// RUN:   --transform-interpreter --canonicalize -o %t.tiled.mlir
// RUN: FileCheck %s --input-file=%t.tiled.mlir
// CHECK: scf.for
// CHECK: sparse_attn.attention {{.*}} origin(
//
// RUN: sparse-attn-run %s --seed=3 --check --output=%t.o.npy --output=%t.lse.npy
// RUN: sparse-attn-run %t.tiled.mlir --seed=3 --output=%t.tiled.o.npy --output=%t.tiled.lse.npy
// RUN: %python -c "import numpy as np; load = lambda name: np.load(r'%t.' + name + '.npy'); \
// RUN:   [np.testing.assert_allclose(load('tiled.' + x), load(x), rtol=1e-4, atol=1e-5) for x in ('o', 'lse')]"

#mask = #sparse_attn.union<
  #sparse_attn.bigbird<block = 32, window_blocks = 3, random_blocks = 2>,
  #sparse_attn.global<tokens = [110, -1]>>

func.func @attention(%q: tensor<2x4x300x32xf32>, %k: tensor<2x2x400x32xf32>, %v: tensor<2x2x400x32xf32>)
    -> (tensor<2x4x300x32xf32>, tensor<2x4x300xf32>) {
  %init = tensor.empty() : tensor<2x4x300x32xf32>
  %lse = tensor.empty() : tensor<2x4x300xf32>
  %o:2 = sparse_attn.attention mask(#mask)
      ins(%q, %k, %v : tensor<2x4x300x32xf32>, tensor<2x2x400x32xf32>, tensor<2x2x400x32xf32>)
      outs(%init, %lse : tensor<2x4x300x32xf32>, tensor<2x4x300xf32>)
      -> tensor<2x4x300x32xf32>, tensor<2x4x300xf32>
  return %o#0, %o#1 : tensor<2x4x300x32xf32>, tensor<2x4x300xf32>
}
