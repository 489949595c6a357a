"""Causal attention written with steps whose scores a region makes anew, and what it
gives in double.

The region caps scores, and takes off a multiple of the distance, which each head has
of its own, and a logarithm, which is NaN for most pairs that the mask leaves out. What
it adds for a batch shows in the LSE alone.
"""

import numpy as np
from attention import run_module

BATCHES, HEADS, LENGTH, SIZE, TILE = 2, 4, 72, 32, 16
CAP = 2.0
# The maxima of the third head are too large for steps that trust their operands.
SLOPES = np.array([0.5, 0.01, -1e6, 0.0])

SCORE = f"""score(%b, %h) {{
    ^bb0(%s: f32, %batch: index, %head: index, %i: i32, %j: i32):
      %cap = arith.constant {CAP} : f32
      %part = arith.divf %s, %cap : f32
      %tanh = math.tanh %part : f32
      %capped = arith.mulf %tanh, %cap : f32
      %slope = tensor.extract %slopes[%head] : tensor<{HEADS}xf32>
      %distance = arith.subi %i, %j : i32
      %d = arith.sitofp %distance : i32 to f32
      %linear = arith.mulf %slope, %d : f32
      %near = arith.subf %capped, %linear : f32
      %one = arith.constant 1.0 : f32
      %next = arith.addf %d, %one : f32
      %log = math.log %next : f32
      %nearer = arith.subf %near, %log : f32
      %batch32 = arith.index_cast %batch : index to i32
      %of_batch = arith.sitofp %batch32 : i32 to f32
      %score = arith.addf %nearer, %of_batch : f32
      sparse_attn.yield %score : f32
    }}"""


def module_text(dtype, scale):
    tensor = f"tensor<{BATCHES}x{HEADS}x{LENGTH}x{SIZE}x{dtype}>"
    lse = f"tensor<{BATCHES}x{HEADS}x{LENGTH}xf32>"
    state = f"!sparse_attn.state<{TILE}x{SIZE}x{dtype}>"
    some, whole = f"tensor<?x{SIZE}x{dtype}>", f"tensor<{TILE}x{SIZE}x{dtype}>"

    def rows(name, row, count, tile):
        return (
            f"tensor.extract_slice {name}[%b, %h, {row}, 0] [1, 1, {count}, {SIZE}]"
            f" [1, 1, 1, 1] : {tensor} to {tile}"
        )

    return f"""
func.func @f(%q: {tensor}, %k: {tensor}, %v: {tensor}, %slopes: tensor<{HEADS}xf32>) -> ({tensor}, {lse}) {{
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %tile = arith.constant {TILE} : index
  %length = arith.constant {LENGTH} : index
  %init = tensor.empty() : {tensor}
  %init_lse = tensor.empty() : {lse}
  %r:2 = scf.forall (%b, %h, %t) in ({BATCHES}, {HEADS}, {-(-LENGTH // TILE)})
      shared_outs(%o = %init, %l = %init_lse) -> ({tensor}, {lse}) {{
    %row = arith.muli %t, %tile : index
    %left = arith.subi %length, %row : index
    %rows = arith.minsi %left, %tile : index
    %qt = {rows("%q", "%row", "%rows", some)}
    %initial = sparse_attn.initial_state : {state}
    %end = arith.addi %t, %c1 : index
    %partial = scf.for %n = %t to %end step %c1 iter_args(%x = %initial) -> ({state}) {{
      %key = arith.muli %n, %tile : index
      %left_keys = arith.subi %length, %key : index
      %keys = arith.minsi %left_keys, %tile : index
      %kt = {rows("%k", "%key", "%keys", some)}
      %vt = {rows("%v", "%key", "%keys", some)}
      %y = sparse_attn.step %x ins(%qt, %kt, %vt : {some}, {some}, {some})
          at(%row, %key) keys({TILE}) scale({scale}) {SCORE} mask {{
        ^bb0(%i: i32, %j: i32):
          %allowed = arith.cmpi sle, %j, %i : i32
          sparse_attn.yield %allowed : i1
        }} : {state}
      scf.yield %y : {state}
    }}
    %full = scf.for %n = %c0 to %t step %c1 iter_args(%x = %partial) -> ({state}) {{
      %key = arith.muli %n, %tile : index
      %kt = {rows("%k", "%key", TILE, whole)}
      %vt = {rows("%v", "%key", TILE, whole)}
      %y = sparse_attn.step %x ins(%qt, %kt, %vt : {some}, {whole}, {whole})
          at(%row, %key) keys({TILE}) scale({scale}) {SCORE} : {state}
      scf.yield %y : {state}
    }}
    %ot = {rows("%o", "%row", "%rows", some)}
    %lt = tensor.extract_slice %l[%b, %h, %row] [1, 1, %rows] [1, 1, 1] : {lse} to tensor<?xf32>
    %done:2 = sparse_attn.finish %full scale(1.0) outs(%ot : {some}, %lt : tensor<?xf32>)
        : {state} -> tensor<?xf32>
    scf.forall.in_parallel {{
      tensor.parallel_insert_slice %done#0 into %o[%b, %h, %row, 0] [1, 1, %rows, {SIZE}] [1, 1, 1, 1]
          : {some} into {tensor}
      tensor.parallel_insert_slice %done#1 into %l[%b, %h, %row] [1, 1, %rows] [1, 1, 1]
          : tensor<?xf32> into {lse}
    }}
  }} {{mapping = [#sparse_attn.grid<0>, #sparse_attn.grid<1>, #sparse_attn.grid<2>]}}
  return %r#0, %r#1 : {tensor}, {lse}
}}
"""


def reference(q, k, v, scale):
    i, j = np.arange(LENGTH)[:, None], np.arange(LENGTH)[None, :]
    distance = np.maximum(i - j, 0)
    scores = CAP * np.tanh(scale * (q @ k.swapaxes(2, 3)) / CAP)
    scores -= SLOPES[None, :, None, None] * distance + np.log1p(distance)
    scores += np.arange(BATCHES)[:, None, None, None]
    scores = np.where(j <= i, scores, -np.inf)
    largest = scores.max(axis=3, keepdims=True)
    weights = np.exp(scores - largest)
    total = weights.sum(axis=3, keepdims=True)
    return weights @ v / total, (largest + np.log(total))[..., 0]


def check_score(tool, dtype, scale, *options):
    rng = np.random.default_rng(5)
    # Numbers that all types have.
    shape = (3, BATCHES, HEADS, LENGTH, SIZE)
    q, k, v = np.round(rng.standard_normal(shape) * 16) / 16
    results, _ = run_module(
        tool, module_text(dtype, scale), [q, k, v, SLOPES], 2, *options
    )
    output, lse = reference(q, k, v, scale)
    epsilon = {"f32": 2.0**-22, "f16": 2.0**-10, "bf16": 2.0**-7}[dtype]
    np.testing.assert_allclose(results[0], output, rtol=epsilon, atol=4 * epsilon)
    np.testing.assert_allclose(results[1], lse, rtol=2.0**-22, atol=2.0**-19)
