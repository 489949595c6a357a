# RUN: %pytest %s
"""Heads of each kind that 16-bit types have: a last 8 columns or depth, and more than
256, whose values are cut into slices, as those of f32 of more than 160 are. With tiles
that are cut by the end of queries and keys, shared heads of keys, masks with partial
tiles and split rows; under several schedules."""

import re
import subprocess

import pytest
from attention import Case, module_text
from kernels import compare, running
from masks import causal, full, longformer, sliding_window
from rules import TILES

SCHEDULES = 3


def case(mask, d, dtype, **others):
    sizes = {"sq": 37, "sk": 53, "heads": 2, "groups": 2, "batch": 1} | others
    return Case(mask, d=d, dtype=dtype, dynamic=True, **sizes)


WINDOW = sliding_window(20, 0)
GLOBAL = longformer(8, [0])
CASES = {
    "d8": case(causal, 8, "bf16"),
    "d24": case(WINDOW, 24, "f16"),
    "d40": case(full, 40, "f16", sq=70, sk=77),  # several tiles of queries and keys
    "d72": case(GLOBAL, 72, "bf16"),
    "d88": case(causal, 88, "f16"),
    "d104": case(WINDOW, 104, "bf16"),
    "d168": case(causal, 168, "bf16"),  # queries in shared memory
    "d8-dv40": case(causal, 8, "f16", dv=40),
    "d40-dv24": case(causal, 40, "bf16", dv=24),
    "d104-dv8": case(WINDOW, 104, "f16", dv=8),
    "d264": case(WINDOW, 264, "f16"),  # slices of 136 and 128
    "d320": case(causal, 320, "bf16", sq=70, sk=77),
    "d512": case(causal, 512, "bf16"),
    "d512-f16": case(full, 512, "f16"),
    "d576-dv512": case(causal, 576, "bf16"),
    "d16-dv576": case(GLOBAL, 16, "f16", dv=576),  # three slices
    "d320-split": case(GLOBAL, 320, "bf16"),
    "d8-dv264-split": case(GLOBAL, 8, "bf16", dv=264),
    "d184-f32": case(WINDOW, 184, "f32"),  # slices of 96 and 88
    "d192-f32": case(causal, 192, "f32", sq=70, sk=77),
    "d256-f32-split": case(GLOBAL, 256, "f32"),
    "nan-value-d256-f32": case(causal, 256, "f32", spoil="nan-value"),
    "nan-value-d40": case(causal, 40, "bf16", spoil="nan-value"),
    "nan-value-d320": case(causal, 320, "bf16", spoil="nan-value"),
}

results = running(CASES, lambda _: SCHEDULES)


@pytest.mark.parametrize("name", CASES)
def test_case(name, results):
    compare(CASES[name], results[name].result())


def plan(chip, dtype, heads):
    """What planning of a function for each head says, and of each the tile."""
    texts = (module_text(Case(full, d=d, dtype=dtype, dynamic=True)) for d in heads)
    named = [text.replace("@attention", f"@f{d}") for d, text in zip(heads, texts)]
    done = subprocess.run(
        ["sparse-attn-opt", "-", f"--sparse-attn-verify-target=target={chip}",
         f"--sparse-attn-plan=target={chip}"],
        input="".join(named), capture_output=True, text=True,
    )
    tiles = re.findall(r"func @f\d+.*?tile = \[(\d+), (\d+)\]", done.stdout, re.DOTALL)
    return done, [tuple(map(int, tile)) for tile in tiles]


@pytest.mark.parametrize("chip", TILES)
@pytest.mark.parametrize("dtype", ("f16", "bf16", "f32"))
def test_every_head_has_the_tile_of_the_table(chip, dtype):
    rows = TILES[chip]["f32" if dtype == "f32" else "bf16"]
    heads = range(8, max(rows) + 1, 8)
    done, tiles = plan(chip, dtype, heads)
    assert done.returncode == 0, done.stderr
    expected = [rows[min(most for most in rows if d <= most)] for d in heads]
    assert tiles == expected


@pytest.mark.parametrize("chip", TILES)
@pytest.mark.parametrize("dtype", ("bf16", "f32"))
def test_other_heads_are_refused(chip, dtype):
    for d in (12, max(TILES[chip][dtype]) + 8):
        done, _ = plan(chip, dtype, [d])
        assert done.returncode == 1 and "head size" in done.stderr, done.stderr
