// Attention with data that upstream's transform dialect has cut into tiles gives
// what the whole gives: each tile has all data, and finds its own by where it is.
//
// RUN: sparse-attn-opt %s --transform-preload-library=transform-library-paths=%S/Inputs/tile-schedule.mlir \
// RUN:   --transform-interpreter --canonicalize -o %t.tiled.mlir
// RUN: FileCheck %s --input-file=%t.tiled.mlir
// CHECK: scf.for
// CHECK: sparse_attn.attention {{.*}} data({{.*}}) origin(%{{.*}}, %{{.*}}, %{{.*}}, %{{.*}}) outs(
//
// RUN: sparse-attn-run %s --entry=lengths --seed=3 --check --output=%t.o.npy --output=%t.lse.npy
// RUN: sparse-attn-run %t.tiled.mlir --entry=lengths --seed=3 --output=%t.tiled.o.npy --output=%t.tiled.lse.npy
// RUN: sparse-attn-opt %t.tiled.mlir --sparse-attn-to-dense-linalg -o %t.dense.mlir
// RUN: sparse-attn-run %t.dense.mlir --entry=lengths --seed=3 --output=%t.dense.o.npy --output=%t.dense.lse.npy
// RUN: %python -c "import numpy as np; load = lambda name: np.load(r'%t.' + name + '.npy'); \
// RUN:   [np.testing.assert_allclose(load(way + x), load(x), rtol=1e-4, atol=1e-5) \
// RUN:    for way in ('tiled.', 'dense.') for x in ('o', 'lse')]"
//
// RUN: sparse-attn-run %s --entry=score --seed=3 --output=%t.o.npy
// RUN: sparse-attn-run %t.tiled.mlir --entry=score --seed=3 --output=%t.tiled.o.npy
// RUN: sparse-attn-run %t.dense.mlir --entry=score --seed=3 --output=%t.dense.o.npy
// RUN: %python -c "import numpy as np; load = lambda name: np.load(r'%t.' + name + '.npy'); \
// RUN:   [np.testing.assert_allclose(load(way + 'o'), load('o'), rtol=1e-4, atol=1e-5) for way in ('tiled.', 'dense.')]"

// RUN: sparse-attn-run %s --entry=documents --seed=3 --check --output=%t.o.npy
// RUN: sparse-attn-run %t.tiled.mlir --entry=documents --seed=3 --output=%t.tiled.o.npy
// RUN: sparse-attn-run %t.dense.mlir --entry=documents --seed=3 --output=%t.dense.o.npy
// RUN: %python -c "import numpy as np; load = lambda name: np.load(r'%t.' + name + '.npy'); \
// RUN:   [np.testing.assert_allclose(load(way + 'o'), load('o'), rtol=1e-4, atol=1e-5) for way in ('tiled.', 'dense.')]"

// RUN: sparse-attn-run %s --entry=listed --seed=3 --check --output=%t.o.npy
// RUN: sparse-attn-run %t.tiled.mlir --entry=listed --seed=3 --output=%t.tiled.o.npy
// RUN: sparse-attn-run %t.dense.mlir --entry=listed --seed=3 --output=%t.dense.o.npy
// RUN: %python -c "import numpy as np; load = lambda name: np.load(r'%t.' + name + '.npy'); \
// RUN:   [np.testing.assert_allclose(load(way + 'o'), load('o'), rtol=1e-4, atol=1e-5) for way in ('tiled.', 'dense.')]"

// RUN: sparse-attn-run %s --entry=pages --seed=3 --check --output=%t.o.npy
// RUN: sparse-attn-run %t.tiled.mlir --entry=pages --seed=3 --output=%t.tiled.o.npy
// RUN: sparse-attn-run %t.dense.mlir --entry=pages --seed=3 --output=%t.dense.o.npy
// RUN: %python -c "import numpy as np; load = lambda name: np.load(r'%t.' + name + '.npy'); \
// RUN:   [np.testing.assert_allclose(load(way + 'o'), load('o'), rtol=1e-4, atol=1e-5) for way in ('tiled.', 'dense.')]"

#mask = #sparse_attn.union<
  #sparse_attn.bigbird<block = 32, window_blocks = 3, random_blocks = 2>,
  #sparse_attn.global<tokens = [110, -1]>>

func.func @lengths(%q: tensor<2x4x300x32xf32>, %k: tensor<2x2x400x32xf32>, %v: tensor<2x2x400x32xf32>,
                   %sinks: tensor<4xf32>, %bias: tensor<300x400xf32>, %slopes: tensor<4xf32>)
    -> (tensor<2x4x300x32xf32>, tensor<2x4x300xf32>) {
  %init = tensor.empty() : tensor<2x4x300x32xf32>
  %lse = tensor.empty() : tensor<2x4x300xf32>
  %queries = arith.constant dense<[300, 123]> : tensor<2xi32>
  %keys = arith.constant dense<[333, 400]> : tensor<2xi32>
  %o:2 = sparse_attn.attention mask(#mask)
      ins(%q, %k, %v : tensor<2x4x300x32xf32>, tensor<2x2x400x32xf32>, tensor<2x2x400x32xf32>)
      data(query_lengths = %queries : tensor<2xi32>, key_lengths = %keys : tensor<2xi32>,
           sinks = %sinks : tensor<4xf32>, bias = %bias : tensor<300x400xf32>, slopes = %slopes : tensor<4xf32>)
      outs(%init, %lse : tensor<2x4x300x32xf32>, tensor<2x4x300xf32>)
      -> tensor<2x4x300x32xf32>, tensor<2x4x300xf32>
  return %o#0, %o#1 : tensor<2x4x300x32xf32>, tensor<2x4x300xf32>
}

// Global tokens, others in each sequence, and some that are none.
func.func @listed(%q: tensor<2x4x300x32xf32>, %k: tensor<2x2x400x32xf32>, %v: tensor<2x2x400x32xf32>) -> tensor<2x4x300x32xf32> {
  %init = tensor.empty() : tensor<2x4x300x32xf32>
  %keys = arith.constant dense<[333, 400]> : tensor<2xi32>
  %tokens = arith.constant dense<[[7, 350, 290, -1], [399, 0, 400, 201]]> : tensor<2x4xi32>
  %o = sparse_attn.attention mask(#sparse_attn.union<#sparse_attn.sliding_window<left = 40, right = 9>, #sparse_attn.global<listed>>)
      ins(%q, %k, %v : tensor<2x4x300x32xf32>, tensor<2x2x400x32xf32>, tensor<2x2x400x32xf32>)
      data(key_lengths = %keys : tensor<2xi32>, global_tokens = %tokens : tensor<2x4xi32>)
      outs(%init : tensor<2x4x300x32xf32>) -> tensor<2x4x300x32xf32>
  return %o : tensor<2x4x300x32xf32>
}

// Documents of 37 tokens, and in the second sequence of 53 in the other order.
func.func @documents(%q: tensor<2x4x300x32xf32>, %k: tensor<2x2x400x32xf32>, %v: tensor<2x2x400x32xf32>) -> tensor<2x4x300x32xf32> {
  %init = tensor.empty() : tensor<2x4x300x32xf32>
  %keys = arith.constant dense<[333, 400]> : tensor<2xi32>
  %ids = tensor.generate {
  ^bb0(%b: index, %x: index):
    %c16 = arith.constant 16 : index
    %c37 = arith.constant 37 : index
    %c400 = arith.constant 400 : index
    %more = arith.muli %b, %c16 : index
    %size = arith.addi %c37, %more : index
    %place = arith.divui %x, %size : index
    %back = arith.muli %b, %c400 : index
    %far = arith.subi %back, %place : index
    %c0 = arith.constant 0 : index
    %isFirst = arith.cmpi eq, %b, %c0 : index
    %id = arith.select %isFirst, %place, %far : index
    %i32 = arith.index_cast %id : index to i32
    tensor.yield %i32 : i32
  } : tensor<2x400xi32>
  %o = sparse_attn.attention mask(#sparse_attn.union<#sparse_attn.intersection<#sparse_attn.causal, #sparse_attn.document>,
        #sparse_attn.global<tokens = [110, -1]>>)
      ins(%q, %k, %v : tensor<2x4x300x32xf32>, tensor<2x2x400x32xf32>, tensor<2x2x400x32xf32>)
      data(key_lengths = %keys : tensor<2xi32>, documents = %ids : tensor<2x400xi32>)
      outs(%init : tensor<2x4x300x32xf32>) -> tensor<2x4x300x32xf32>
  return %o : tensor<2x4x300x32xf32>
}

// Pages in any order, a front that was dropped inside of one, and rows before the
// last keys.
func.func @pages(%q: tensor<2x4x300x32xf32>, %k: tensor<13x2x64x32xf32>, %v: tensor<13x2x64x32xf32>) -> tensor<2x4x300x32xf32> {
  %init = tensor.empty() : tensor<2x4x300x32xf32>
  %table = arith.constant dense<[[4, 1, 12, 7, 0, 9], [3, 4, 11, 8, 10, 2]]> : tensor<2x6xi32>
  %keys = arith.constant dense<[333, 384]> : tensor<2xi32>
  %begin = arith.constant dense<[0, 70]> : tensor<2xi32>
  %slot = arith.constant dense<[64, 35]> : tensor<2xi64>
  %row = arith.constant dense<[80, 100]> : tensor<2xi64>
  %o = sparse_attn.attention mask(#sparse_attn.union<#sparse_attn.sliding_window<left = 60, right = 3>, #sparse_attn.global<tokens = [110]>>)
      ins(%q, %k, %v : tensor<2x4x300x32xf32>, tensor<13x2x64x32xf32>, tensor<13x2x64x32xf32>)
      data(page_table = %table : tensor<2x6xi32>, key_lengths = %keys : tensor<2xi32>, key_begin = %begin : tensor<2xi32>,
           key_position = %slot : tensor<2xi64>, query_position = %row : tensor<2xi64>)
      outs(%init : tensor<2x4x300x32xf32>) -> tensor<2x4x300x32xf32>
  return %o : tensor<2x4x300x32xf32>
}

func.func @score(%q: tensor<2x4x300x32xf32>, %k: tensor<2x2x400x32xf32>, %v: tensor<2x2x400x32xf32>,
                 %table: tensor<2x4xf32>) -> tensor<2x4x300x32xf32> {
  %init = tensor.empty() : tensor<2x4x300x32xf32>
  %o = sparse_attn.attention mask(#sparse_attn.causal)
      ins(%q, %k, %v : tensor<2x4x300x32xf32>, tensor<2x2x400x32xf32>, tensor<2x2x400x32xf32>)
      outs(%init : tensor<2x4x300x32xf32>) score {
      ^bb0(%s: f32, %b: index, %h: index, %i: index, %j: index):
        %c3 = arith.constant 3 : i32
        %i32 = arith.index_cast %i : index to i32
        %j32 = arith.index_cast %j : index to i32
        %sum = arith.addi %i32, %j32 : i32
        %low = arith.andi %sum, %c3 : i32
        %x = arith.sitofp %low : i32 to f32
        %factor = tensor.extract %table[%b, %h] : tensor<2x4xf32>
        %more = arith.mulf %factor, %x : f32
        %t = arith.addf %s, %more : f32
        sparse_attn.yield %t : f32
      } -> tensor<2x4x300x32xf32>
  return %o : tensor<2x4x300x32xf32>
}
