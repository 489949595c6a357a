# RUN: %pytest %s
"""Launches of few query tiles on a device that has room for more, whose keys are split
over the grid; and few query rows, of which a tile has several heads'."""

import pytest
from attention import Case
from kernels import compare, running
from masks import causal, full, longformer, random, sliding_window, streaming, union

SCHEDULES = 3


def case(mask, sq, sk, groups, d=32, dtype="bf16", **others):
    sizes = {"heads": groups, "batch": 2, "dynamic": True} | others
    return Case(mask, sq=sq, sk=sk, groups=groups, d=d, dtype=dtype, **sizes)


CASES = {
    # One row: several heads a tile.
    "decode": case(causal, 1, 1200, 4, heads=8),
    "decode-f32": case(causal, 1, 700, 4, dtype="f32", batch=1),
    "decode-f16-no-lse": case(full, 1, 1043, 8, dtype="f16", lse=False),
    "decode-static": case(causal, 1, 1043, 8, dynamic=False),
    "decode-two-tiles": case(causal, 1, 600, 20),  # 16 heads and 4
    "decode-one-part": case(causal, 1, 70, 4),
    "decode-window": case(sliding_window(700, 0), 1, 1500, 4),
    "decode-streaming": case(streaming(sinks=4, window=600), 1, 1500, 4),
    "decode-slices": case(causal, 1, 600, 4, d=320, batch=1),
    "decode-nan-value": case(causal, 1, 600, 4, spoil="nan-value"),
    "decode-huge-values": case(causal, 1, 600, 4, spoil="huge-values"),
    # More, of which each has a tile of its own as long as they are no more than heads.
    "two-rows": case(causal, 2, 900, 4),
    "two-rows-window": case(sliding_window(300, 0), 2, 900, 3),
    "eight-rows": case(causal, 8, 600, 8, batch=1),
    # Else tiles are of rows.
    "three-rows": case(causal, 3, 1100, 2),
    "no-groups": case(causal, 1, 1100, 1, heads=3),
    "hundred-rows": case(causal, 100, 700, 1, batch=1),
    "global-rows": case(longformer(64, [0, -1]), 40, 700, 1, batch=1),
    "scattered-rows": case(
        longformer(64, list(range(5, 700, 43))), 300, 700, 1, batch=1, d=64),
    "random": case(union(sliding_window(40, 0), random(16, 2)), 5, 700, 4, batch=1),
    # No key, and no row that is there.
    "more-rows-than-keys": case(causal, 9, 3, 1),
}  # fmt: skip

results = running(CASES, lambda _: SCHEDULES, "--sm-count=16")


@pytest.mark.parametrize("name", CASES)
def test_case(name, results):
    compare(CASES[name], results[name].result())
