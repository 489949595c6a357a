# RUN: %pytest %s
"""Tiles of each shape that the rule of the targets has for 16-bit types, whole: with
lengths that are not known and no multiples of a tile, shared heads of keys, masks with
full, partial and no tiles, rows that are split, and operands that are not to be trusted.
Each under eight schedules."""

import re
import subprocess

import pytest
from attention import Case, module_text
from kernels import SCHEDULES, compare, running
from masks import causal, chunked, full, longformer, sliding_window

# Head size, and the queries, keys and warps that a block has for it on sm_80.
TILES = {
    64: (128, 64, 4),
    80: (128, 64, 4),
    96: (128, 48, 4),
    128: (128, 48, 4),
    160: (128, 48, 8),
    192: (128, 48, 8),
    256: (128, 32, 8),
}


def case(mask, d, **others):
    """The fewest rows that have a whole tile and one that is not."""
    sizes = {"sq": 141, "sk": 211, "heads": 2, "groups": 2, "batch": 2} | others
    return Case(mask, d=d, dynamic=True, **sizes)


CASES = {f"causal-d{d}": case(causal, d, dtype="bf16") for d in TILES}
# Sums of f16 products lose most, and the LSE of heads of 192 shows it.
CASES["causal-f16-d192"] = case(causal, 192, dtype="f16")
CASES |= {
    f"{name}-d128": case(mask, 128, dtype="f16")
    for name, mask in {
        "full": full,
        "window": sliding_window(70, 0),
        "longformer": longformer(16, [0]),
        "chunked": chunked(64),  # 32 keys divide the block, 48 do not
    }.items()
}
CASES |= {
    f"{spoil}-d128": case(causal, 128, dtype="bf16", spoil=spoil)
    for spoil in ("nan-value", "infinite-score")
}
CASES["values-of-64-d128"] = case(causal, 128, dv=64, dtype="bf16")

results = running(CASES, lambda _: SCHEDULES)


@pytest.mark.parametrize("name", CASES)
def test_case(name, results):
    compare(CASES[name], results[name].result())


@pytest.mark.parametrize("d", TILES)
def test_the_tile_is_that_of_the_rule(d):
    """Query tiles of so many rows, with a ring of so many keys, by so many warps."""
    done = subprocess.run(
        ["sparse-attn-opt", "-", "--sparse-attn-nvvm-pipeline=chip=sm_80 emit=nvvm",
         "--remarks-filter=sparse-attn-.*", "-o", "/dev/null"],
        input=module_text(CASES[f"causal-d{d}"]), capture_output=True, text=True,
    )
    assert done.returncode == 0, done.stderr
    number = lambda name: int(re.search(rf"{name}=(\d+)", done.stderr)[1])
    rows = number("tile-queries")
    # Launches for few rows have tiles of their own.
    assert (rows, number("tile-keys"), number(f"rows={rows}, warps")) == TILES[d]
