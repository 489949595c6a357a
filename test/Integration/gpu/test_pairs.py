# RUN: %pytest %s
"""What a plan says of its pairs is what kernels compute: the multiply-adds of tensor cores
that the emulator counts are those of inspect's `computed_pairs`, D + Dv for each, whatever
the mask and the lengths. Where lengths are multiples of tiles, there are no rows and keys
but those that are there, and these pairs are `visited_pairs`, too."""

import dataclasses
import json
import os
import subprocess

import pytest
from kernels import TOOL
from pairs import CASES as ANY_CASES
from pairs import OWN, counted_multiply_adds, planned_multiply_adds

INSPECT = os.environ.get("SPARSE_ATTN_INSPECT", "sparse-attn-inspect")
HEADS = 2


def union(*masks):
    return f"#sparse_attn.union<{', '.join(masks)}>"


def window(left, right, dilation=1):
    return f"#sparse_attn.sliding_window<left = {left}, right = {right}, dilation = {dilation}>"


CAUSAL = "#sparse_attn.causal"
# As many as a tile of a list has slots.
SCATTERED = [29 * i + 3 for i in range(16)]
# Masks, head sizes and lengths. Rows that see everything are as many as a tile of theirs.
CASES = {
    "dense": ("#sparse_attn.full", 64, 256),
    "causal": (CAUSAL, 64, 512),
    "causal-d128": (CAUSAL, 128, 768),
    "window": (window(64, 64), 64, 512),
    "window-d128": (window(64, 64), 128, 512),
    "causal-window": (window(127, 0), 64, 512),
    "narrow": (window(8, 3), 64, 512),
    "chunked": ("#sparse_attn.chunked<size = 192>", 64, 576),
    "blocks": ("#sparse_attn.bigbird<block = 64, window_blocks = 3, random_blocks = 2, seed = 1>",
               64, 640),
    "global": (union(window(40, 40), "#sparse_attn.global<first = 16>"), 64, 512),
    "scattered": (union(window(40, 40), f"#sparse_attn.global<tokens = {SCATTERED},"
                        " direction = columns>"), 64, 512),
    "columns": (f"#sparse_attn.intersection<{CAUSAL}, " + union(
        "#sparse_attn.chunked<size = 64>",
        "#sparse_attn.periodic_columns<period = 64, last = 4>") + ">", 64, 1024),
    "dilated": (window(32, 32, 4), 64, 1024),
}


def module(mask, head_size, length):
    tensor = f"tensor<1x{HEADS}x{length}x{head_size}xbf16>"
    return f"""func.func @f(%q: {tensor}, %k: {tensor}, %v: {tensor}) -> {tensor} {{
  %init = tensor.empty() : {tensor}
  %o = sparse_attn.attention mask({mask}) ins(%q, %k, %v : {tensor}, {tensor}, {tensor})
      outs(%init : {tensor}) -> {tensor}
  return %o : {tensor}
}}
"""


def tool(*command):
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("name", CASES)
def test_kernels_compute_the_pairs_of_the_plan(name, tmp_path):
    mask, head_size, length = CASES[name]
    path = tmp_path / "f.mlir"
    path.write_text(module(mask, head_size, length))
    (said,) = tool(INSPECT, path, "--target=sm_80", "--format=json")["attentions"]
    ran = tool(TOOL, path, "--device=emulator", "--json")
    assert ran["multiply_adds"] == said["visited_pairs"] * 2 * head_size
    assert said["computed_pairs"] == said["visited_pairs"]


def as_kernel(case):
    """Of a type and of head sizes that tensor cores take without filling them up."""
    size = case.d if case.d in (16, 64, 128) else 64
    return dataclasses.replace(case, dtype="bf16", d=size, dv=None)


def takes_the_fallback_path(name, case):
    """A block with a row that sees no key computes its tile again: so does the first tile of
    the window of `parts`, whose first row sees its own key in the other part."""
    return name == "parts" or not case.live().any(axis=3).all()


RUNS = [(name, chip) for cases, chip in ((ANY_CASES, "sm_80"), (OWN, "sm_90"))
        for name, case in cases.items() if not takes_the_fallback_path(name, case)]


@pytest.mark.parametrize("name, chip", RUNS)
def test_kernels_compute_the_pairs_of_any_plan(name, chip, tmp_path):
    case = as_kernel(ANY_CASES[name])
    planned, plan = planned_multiply_adds(case, chip, tmp_path)
    counted = counted_multiply_adds(case, tmp_path, "--device=emulator", f"--chip={chip}")
    assert counted == planned, plan


def test_of_parts_the_first_tile_of_the_window_is_computed_again(tmp_path):
    case = as_kernel(OWN["parts"])
    planned, plan = planned_multiply_adds(case, "sm_80", tmp_path)
    counted = counted_multiply_adds(case, tmp_path, "--device=emulator", "--chip=sm_80")
    assert "j < i, tile 64 x 64" in plan
    assert counted - planned == case.heads * 64 * 64 * (case.d + case.value_size), plan
