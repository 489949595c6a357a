"""Pairs of visited tiles over live pairs, of masks whose rows and columns are scattered.

Usage: waste.py sparse-attn-inspect DIRECTORY. Prints each figure and fails where one is above its goal.
"""

import json
import pathlib
import random
import subprocess
import sys

LENGTH = 16384


def attention(mask, length):
    return f"""!t = tensor<1x2x{length}x64xf32>
func.func @f(%q: !t, %k: !t, %v: !t) -> !t {{
  %init = tensor.empty() : !t
  %o = sparse_attn.attention mask({mask})
      ins(%q, %k, %v : !t, !t, !t) outs(%init : !t) -> !t
  return %o : !t
}}
"""


def longformer(count):
    """Windows of 512 and `count` global tokens anywhere."""
    tokens = sorted(random.Random(7).sample(range(LENGTH), count))
    return f"#sparse_attn.longformer<window = 512, global_tokens = {tokens}>"


def causal(mask):
    return f"#sparse_attn.intersection<#sparse_attn.causal, {mask}>"


def fixed(last):
    """Chunks of 128, whose last rows and columns see, and are seen by, everything before."""
    period = f"period = 128, last = {last}"
    return causal("#sparse_attn.union<#sparse_attn.chunked<size = 128>,"
                  f" #sparse_attn.periodic_columns<{period}>, #sparse_attn.periodic_rows<{period}>>")


# The mask, the length, and the goal for each target.
CASES = {
    "longformer, 1 token": (longformer(1), LENGTH, {"x86-64-v4": 1.2}),
    "longformer, 16 tokens": (longformer(16), LENGTH, {"x86-64-v4": 1.2}),
    "longformer, 64 tokens": (longformer(64), LENGTH, {"x86-64-v4": 1.2}),
    "longformer, 100 tokens": (longformer(100), LENGTH, {"x86-64-v4": 1.2}),
    "longformer, 1000 tokens": (longformer(1000), LENGTH, {"x86-64-v4": 1.2}),
    "longformer, causal, 64 tokens": (causal(longformer(64)), LENGTH, {"x86-64-v4": 1.3}),
    "fixed, 8 rows and columns": (fixed(8), LENGTH, {"x86-64-v4": 1.1}),
    "fixed, 32 rows and columns": (fixed(32), LENGTH, {"x86-64-v4": 1.1}),
}


def waste_of(inspect, path, target):
    run = subprocess.run([inspect, path, f"--target={target}", "--format=json"], check=True,
                         capture_output=True, text=True)
    assert not run.stderr, run.stderr
    (op,) = json.loads(run.stdout)["attentions"]
    return op["waste"]


def main(inspect, directory):
    missed = 0
    for name, (mask, length, goals) in CASES.items():
        path = pathlib.Path(directory) / "mask.mlir"
        path.write_text(attention(mask, length))
        for target, goal in goals.items():
            waste = waste_of(inspect, path, target)
            print(f"{name}, {target}: {waste:.3f}, goal {goal}")
            missed += waste > goal
    return missed > 0


sys.exit(main(*sys.argv[1:]))
