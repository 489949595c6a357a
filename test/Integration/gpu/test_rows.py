# RUN: %pytest %s
"""Rows that are no neighbours, as kernels: rows of scattered tokens and of a period, chosen by
the planner, under eight schedules. In f16, bf16 and f32, as the parts of split rows and whole,
at lengths that are known and not, with fewer queries than keys and more, with groups of heads,
slices of values, and operands that are not to be trusted."""

import pytest
from attention import Case
from kernels import SCHEDULES, compare, plan_of, running
from masks import (
    causal,
    chunked,
    global_,
    intersection,
    longformer,
    periodic_columns,
    periodic_rows,
    sliding_window,
    union,
)

TOKENS = [3, 78, 151, 199, 260, 301, 390, 441, 460, 466, 490, 520, 533, 600, 601, 640]
ROWS = global_(TOKENS, direction="rows")


def case(mask, **others):
    sizes = {"sq": 700, "heads": 2, "batch": 1}
    return Case(mask, **(sizes | others))


def fixed(stride, last):
    """The fixed pattern, whose last rows of a stride see everything before them."""
    return intersection(causal, union(
        chunked(stride), periodic_columns(stride, last), periodic_rows(stride, last)))


# Which layout rows are to have.
CHOSEN = {
    "tokens-bf16": ("list", case(longformer(64, TOKENS), d=64, dtype="bf16")),
    "tokens-f16-groups": ("list", case(
        longformer(64, TOKENS), d=64, dtype="f16", heads=4, groups=2, lse=False)),
    "tokens-f32": ("list", case(longformer(64, TOKENS), d=32)),
    "tokens-d192": ("list", case(longformer(64, TOKENS), d=192, dtype="f16", heads=1)),
    "tokens-values-of-320": ("list", case(
        longformer(64, TOKENS), d=64, dv=320, dtype="bf16", heads=1)),
    "tokens-dynamic": ("list", case(
        longformer(64, TOKENS), d=64, dtype="f16", sq=650, dynamic=True)),
    # Row 0 stands at position 566: a few of the tokens are rows, and of others some.
    "tokens-few-rows": ("list", case(
        longformer(64, TOKENS), d=64, dtype="bf16", sq=141, sk=707, dynamic=True)),
    # The first rows see nothing, and tokens are the last ones.
    "tokens-more-rows": ("list", case(
        longformer(64, TOKENS), d=32, dtype="f16", sq=690, sk=650, dynamic=True)),
    "tokens-causal": ("list", case(
        intersection(causal, longformer(64, TOKENS)), d=64, dtype="bf16")),
    "rows-without-columns": ("list", case(
        union(sliding_window(20, 20), ROWS), d=64, dtype="f16", dynamic=True)),
    "tokens-nan-value": ("list", case(
        union(sliding_window(30, 30), ROWS), d=32, dtype="bf16", spoil="nan-value")),
    "tokens-huge-values": ("list", case(
        union(sliding_window(30, 30), ROWS), d=32, spoil="huge-values")),
    "period-bf16": ("lattice", case(fixed(128, 32), d=64, dtype="bf16")),
    "period-f16": ("lattice", case(fixed(128, 8), d=128, dtype="f16", heads=1)),
    "period-f32-dynamic": ("lattice", case(fixed(64, 16), d=32, sq=600, dynamic=True)),
    "period-few-rows": ("lattice", case(
        fixed(64, 16), d=64, dtype="bf16", sq=200, sk=707, dynamic=True)),
    "period-nan-value": ("lattice", case(
        fixed(128, 32), d=32, dtype="f16", heads=1, spoil="nan-value")),
}  # fmt: skip


results = running({name: chosen for name, (_, chosen) in CHOSEN.items()}, lambda _: SCHEDULES)


@pytest.mark.parametrize("name", CHOSEN)
def test_chosen(name, results):
    compare(CHOSEN[name][1], results[name].result())


@pytest.mark.parametrize("name", CHOSEN)
def test_the_plan_has_rows_in_the_layout(name, tmp_path):
    layout, chosen = CHOSEN[name]
    # Of a class: a segment's layout stands behind its range of tiles.
    assert any(f' of {layout}<' in cls.split("segments")[0]
               for cls in plan_of(chosen, tmp_path).split("rows = [", 1)[1].split(', <"'))
