// Data of few sizes, or of none: kernels and the dense form agree with the reference.
//
// RUN: sparse-attn-opt %s --sparse-attn-to-dense-linalg -o %t.dense.mlir
//
// A pool without pages has no keys, whatever its table says.
// RUN: sparse-attn-run %s --entry=pool --shape=arg1_dim0=0,arg2_dim0=0 --check=all
// RUN: sparse-attn-run %s --entry=pool --shape=arg1_dim0=0,arg2_dim0=0 --check=all --device=emulator
// RUN: sparse-attn-run %s --entry=pool --shape=arg1_dim0=3,arg2_dim0=3 --check=all
//
// Few rows, of which vectors are whole.
// RUN: sparse-attn-run %s --entry=listed --check=all --seed=1 --output=%t.o.npy
// RUN: sparse-attn-run %t.dense.mlir --entry=listed --seed=1 --output=%t.dense.npy
// RUN: %python -c "import numpy as np; np.testing.assert_allclose(np.load(r'%t.dense.npy'), np.load(r'%t.o.npy'), rtol=1e-4, atol=1e-5)"
//
// No token is listed.
// RUN: sparse-attn-run %s --entry=none --check=all --seed=1 --output=%t.o.npy
// RUN: sparse-attn-run %t.dense.mlir --entry=none --seed=1 --output=%t.dense.npy
// RUN: %python -c "import numpy as np; np.testing.assert_allclose(np.load(r'%t.dense.npy'), np.load(r'%t.o.npy'), rtol=1e-4, atol=1e-5)"

func.func @pool(%q: tensor<2x4x5x16xf32>, %k: tensor<?x2x16x16xf32>, %v: tensor<?x2x16x16xf32>) -> tensor<2x4x5x16xf32> {
  %table = arith.constant dense<[[0, 1, 2], [2, -1, 7]]> : tensor<2x3xi32>
  %init = tensor.empty() : tensor<2x4x5x16xf32>
  %o = sparse_attn.attention mask(#sparse_attn.causal)
      ins(%q, %k, %v : tensor<2x4x5x16xf32>, tensor<?x2x16x16xf32>, tensor<?x2x16x16xf32>)
      data(page_table = %table : tensor<2x3xi32>) outs(%init : tensor<2x4x5x16xf32>) -> tensor<2x4x5x16xf32>
  return %o : tensor<2x4x5x16xf32>
}

func.func @listed(%q: tensor<1x1x8x8xf32>, %kv: tensor<1x1x33x8xf32>) -> tensor<1x1x8x8xf32> {
  %tokens = arith.constant dense<[[28, 3, 30, -1]]> : tensor<1x4xi32>
  %init = tensor.empty() : tensor<1x1x8x8xf32>
  %o = sparse_attn.attention mask(#sparse_attn.global<listed>)
      ins(%q, %kv, %kv : tensor<1x1x8x8xf32>, tensor<1x1x33x8xf32>, tensor<1x1x33x8xf32>)
      data(global_tokens = %tokens : tensor<1x4xi32>) outs(%init : tensor<1x1x8x8xf32>) -> tensor<1x1x8x8xf32>
  return %o : tensor<1x1x8x8xf32>
}

func.func @none(%q: tensor<1x1x8x8xf32>, %kv: tensor<1x1x33x8xf32>, %tokens: tensor<1x0xi32>) -> tensor<1x1x8x8xf32> {
  %init = tensor.empty() : tensor<1x1x8x8xf32>
  %o = sparse_attn.attention mask(#sparse_attn.union<#sparse_attn.sliding_window<left = 3, right = 0>, #sparse_attn.global<listed>>)
      ins(%q, %kv, %kv : tensor<1x1x8x8xf32>, tensor<1x1x33x8xf32>, tensor<1x1x33x8xf32>)
      data(global_tokens = %tokens : tensor<1x0xi32>) outs(%init : tensor<1x1x8x8xf32>) -> tensor<1x1x8x8xf32>
  return %o : tensor<1x1x8x8xf32>
}
