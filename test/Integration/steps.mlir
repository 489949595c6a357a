// Attention as loops of steps, decomposed for the CPU, gives what the whole gives:
// random blocks, global rows in parts along the keys, key heads of a group, ragged tiles.
//
// RUN: sparse-attn-opt %s --sparse-attn-plan --sparse-attn-visit-tiles=heavy-splits=4 --sparse-attn-steps-to-lanes -o %t.steps.mlir
// RUN: FileCheck %s --input-file=%t.steps.mlir
// CHECK-NOT: sparse_attn.
// CHECK: linalg.generic
//
// RUN: sparse-attn-run %s --seed=3 --check=all --output=%t.o.npy --output=%t.lse.npy
// RUN: sparse-attn-run %t.steps.mlir --seed=3 --output=%t.steps.o.npy --output=%t.steps.lse.npy
// RUN: %python -c "import numpy as np; load = lambda name: np.load(r'%t.' + name + '.npy'); \
// RUN:   [np.testing.assert_allclose(load('steps.' + x), load(x), rtol=1e-4, atol=1e-5) for x in ('o', 'lse')]"
func.func @f(%q: tensor<1x4x200x16xf32>, %k: tensor<1x2x200x16xf32>, %v: tensor<1x2x200x24xf32>)
    -> (tensor<1x4x200x24xf32>, tensor<1x4x200xf32>) {
  %init = tensor.empty() : tensor<1x4x200x24xf32>
  %lse = tensor.empty() : tensor<1x4x200xf32>
  %o:2 = sparse_attn.attention mask(#sparse_attn.bigbird<block = 16, window_blocks = 3, random_blocks = 1>)
      ins(%q, %k, %v : tensor<1x4x200x16xf32>, tensor<1x2x200x16xf32>, tensor<1x2x200x24xf32>)
      outs(%init, %lse : tensor<1x4x200x24xf32>, tensor<1x4x200xf32>) -> tensor<1x4x200x24xf32>, tensor<1x4x200xf32>
  return %o#0, %o#1 : tensor<1x4x200x24xf32>, tensor<1x4x200xf32>
}
