"""Attention without a query or without a key: O = 0, LSE = -inf, and no crash."""

import numpy as np
from attention import run_module
from masks import bigbird, complement, global_, longformer, prefix_lm, random, union

# Plans of every kind: columns that stay, heavy rows, rows counted from the end, draws.
MASKS = {
    "prefix-lm": prefix_lm(30),
    "longformer": longformer(window=8, global_tokens=[0, -1]),
    "bigbird": bigbird(16, 3, 2),
    "random": union(random(16, 2), global_([7], direction="rows")),
    "complement": complement(global_([2, -3], first=1, last=2)),
}
SHAPES = {"no-keys": (70, 0), "no-queries": (0, 70), "neither": (0, 0)}
HEADS, D = 2, 16


def module_text(mask, sq, sk, dynamic):
    def tensor(rows, *rest):
        size = "?" if dynamic else rows
        return f"tensor<1x{HEADS}x{size}x{'x'.join(map(str, (*rest, 'f32')))}>"

    q, kv, lse = tensor(sq, D), tensor(sk, D), tensor(sq)
    sizes = "%n" if dynamic else ""
    dim = f"%c2 = arith.constant 2 : index\n  %n = tensor.dim %q, %c2 : {q}"
    return f"""\
func.func @empty(%q: {q}, %k: {kv}, %v: {kv}) -> ({q}, {lse}) {{
  {dim if dynamic else ""}
  %o = tensor.empty({sizes}) : {q}
  %l = tensor.empty({sizes}) : {lse}
  %r:2 = sparse_attn.attention mask({mask.text})
      ins(%q, %k, %v : {q}, {kv}, {kv}) outs(%o, %l : {q}, {lse}) -> {q}, {lse}
  return %r#0, %r#1 : {q}, {lse}
}}
"""


def check_empty(tool, mask, shape, dynamic, *options):
    sq, sk = SHAPES[shape]
    queries = np.random.default_rng(0).standard_normal((1, HEADS, sq, D))
    keys = np.random.default_rng(1).standard_normal((1, HEADS, sk, D))
    text = module_text(MASKS[mask], sq, sk, dynamic)
    (out, lse), _ = run_module(tool, text, [queries, keys, keys], 2, *options)
    assert out.shape == (1, HEADS, sq, D) and lse.shape == (1, HEADS, sq)
    assert (out == 0).all() and (lse == -np.inf).all()
