"""Pairs of visited tiles over live pairs, of masks whose live pairs lie apart; and pairs that
are computed, with the slots that fill tiles up.

Usage: waste.py sparse-attn-inspect DIRECTORY. Prints each figure and fails where one is above its goal.
"""

import json
import pathlib
import random
import subprocess
import sys

LENGTH = 16384


def attention(mask, head_size):
    return f"""!t = tensor<1x2x{LENGTH}x{head_size}xbf16>
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


def union(*masks):
    return f"#sparse_attn.union<{', '.join(masks)}>"


def window(left, right, dilation=1):
    return (f"#sparse_attn.sliding_window<left = {left}, right = {right},"
            f" dilation = {dilation}>")


def documents():
    """Rectangles of 192 to 320 tokens."""
    sizes, begin, members = random.Random(2), 0, []
    while begin < LENGTH:
        end = min(LENGTH, begin + sizes.randint(192, 320))
        sides = [f"#sparse_attn.global<first = {end}, direction = rows>",
                 f"#sparse_attn.prefix<length = {end}>"]
        if begin > 0:
            sides += [f"#sparse_attn.complement<#sparse_attn.global<first = {begin}, direction = rows>>",
                      f"#sparse_attn.complement<#sparse_attn.prefix<length = {begin}>>"]
        members.append(f"#sparse_attn.intersection<{', '.join(sides)}>")
        begin = end
    return union(*members)


COMPOSITION = union(window(64, 64, 4), "#sparse_attn.strided<stride = 256>",
                    "#sparse_attn.global<tokens = [3, 9000]>")

# The mask, and the goals for processors and for kernels of sm_80 with heads of 64 and of
# 128; None where plans miss theirs.
CASES = {
    "bigbird": (
        "#sparse_attn.bigbird<block = 64, window_blocks = 3, random_blocks = 3, seed = 1>",
        1.1, 1.15, 1.15),
    "chunked, causal": (causal("#sparse_attn.chunked<size = 8192>"), 1.1, 1.15, 1.15),
    "streaming": ("#sparse_attn.streaming<sinks = 4, window = 1024>", 1.1, 1.15, 1.15),
    "longformer, 1 token": (longformer(1), 1.2, 1.35, 1.35),
    "longformer, 16 tokens": (longformer(16), 1.2, 1.35, 1.35),
    "longformer, 64 tokens": (longformer(64), 1.2, 1.35, 1.35),
    "longformer, 100 tokens": (longformer(100), 1.2, 1.35, 1.35),
    "longformer, 1000 tokens": (longformer(1000), 1.2, 1.35, 1.35),
    "longformer, causal, 64 tokens": (causal(longformer(64)), 1.3, None, None),
    "strided": ("#sparse_attn.sparse_transformer_strided<stride = 128>", 1.3, 1.55, 1.55),
    "fixed, 8 columns": (
        "#sparse_attn.sparse_transformer_fixed<stride = 128, columns = 8>", 1.1, 1.2, 1.2),
    "fixed, 32 columns": (
        "#sparse_attn.sparse_transformer_fixed<stride = 128, columns = 32>", 1.1, 1.2, 1.2),
    "fixed, 8 rows and columns": (fixed(8), 1.1, 1.2, 1.2),
    "fixed, 32 rows and columns": (fixed(32), 1.1, 1.2, 1.2),
    "dilated by 2": (window(64, 64, 2), 1.3, 1.5, 1.5),
    "dilated by 4": (window(64, 64, 4), 1.3, 1.5, 1.5),
    "dilated by 8": (window(64, 64, 8), 1.3, 1.5, 1.5),
    "window of 129": (window(64, 64), 1.3, 1.5, 1.5),
    "window of 128, causal": (window(127, 0), 1.3, 1.5, 1.5),
    "documents": (documents(), 1.1, 1.1, 1.1),
    "dilated, strided and global": (COMPOSITION, 1.4, 1.7, 1.7),
}

# Goals for what is computed, where those above are less than was asked for.
COMPUTED = {("documents", "x86-64-v4"): 1.25, ("documents", "sm_80"): 1.5}


def waste_of(inspect, path, target):
    run = subprocess.run([inspect, path, f"--target={target}", "--format=json"], check=True,
                         capture_output=True, text=True)
    assert not run.stderr, run.stderr
    (op,) = json.loads(run.stdout)["attentions"]
    return op["waste"], op["computed_pairs"] / op["live_pairs"]


def main(inspect, directory):
    path, missed = pathlib.Path(directory) / "mask.mlir", 0
    for name, (mask, cpu, *gpu) in CASES.items():
        for head_size, kernels in zip((64, 128), gpu):
            path.write_text(attention(mask, head_size))
            for target, goal in (("x86-64-v4", cpu), ("sm_80", kernels)):
                if goal is None:
                    continue
                visited, computed = waste_of(inspect, path, target)
                print(f"{name}, heads of {head_size}, {target}: {visited:.3f},"
                      f" computed {computed:.3f}, goal {goal}")
                missed += visited > goal or computed > COMPUTED.get((name, target), goal)
    return missed > 0


sys.exit(main(*sys.argv[1:]))
