# RUN: %pytest %s
"""Tiles of keys that are no neighbours, as kernels: on lattices and in lists, chosen by the
planner and in plans written by hand, under eight schedules. In f16, bf16 and f32, where warps
meet for each tile and where they run apart, with tiles of a size of their own, keys past the
end, rows that are split, and operands that are not to be trusted."""

import pytest
from attention import Case
from kernels import SCHEDULES, compare, compare_with_plan, plan_of, running
from masks import (
    causal,
    global_,
    intersection,
    longformer,
    periodic_columns,
    sliding_window,
    sparse_transformer_fixed,
    union,
)

TOKENS = [3, 78, 151, 199, 260, 301, 390, 441, 460, 466, 490, 520, 533, 600, 601, 640]
COLUMNS = global_(TOKENS, direction="columns")


def case(mask, **others):
    """Lengths that are not known and no multiples of a tile, with few rows."""
    sizes = {"sq": 141, "sk": 707, "heads": 2, "groups": 2, "batch": 1, "dynamic": True}
    return Case(mask, **(sizes | others))


# Where the planner is to choose a layout, and which.
CHOSEN = {
    "fixed-f16": ("lattice", case(sparse_transformer_fixed(128, 8), d=64, dtype="f16")),
    "fixed-bf16-d128": ("lattice", case(sparse_transformer_fixed(128, 32), d=128, dtype="bf16")),
    "fixed-f32": ("lattice", case(sparse_transformer_fixed(64, 3), d=32)),
    "fixed-d192": ("lattice", case(sparse_transformer_fixed(64, 8), d=192, dtype="bf16")),
    "fixed-values-of-320": (
        "lattice", case(sparse_transformer_fixed(64, 8), d=64, dv=320, dtype="f16", sk=300)),
    "columns-of-7": ("lattice", case(periodic_columns(7, 2), d=40, dtype="bf16")),
    "listed-bf16": ("list", case(union(sliding_window(20, 20), COLUMNS), d=64, dtype="bf16")),
    "listed-f32": ("list", case(union(sliding_window(20, 20), COLUMNS), d=64)),
    "split-rows": ("list", case(longformer(64, TOKENS), d=64, dtype="f16", batch=2)),
    "both": ("list", case(
        intersection(causal, union(sliding_window(20, 0), periodic_columns(64, 2), COLUMNS)),
        d=64, dtype="bf16")),
    "spoilt-f16": ("lattice", case(
        sparse_transformer_fixed(16, 4), d=64, dtype="f16", spoil="nan-value")),
    "spoilt-list": ("list", case(
        union(sliding_window(20, 20), global_([40, *TOKENS], direction="columns")), d=64,
        dtype="bf16", spoil="infinite-score")),
    # Slots that stand nowhere read the last row.
    "past-the-end": ("list", case(
        union(sliding_window(20, 20), global_([3, 78, 151], direction="columns")), d=64,
        dtype="f16", spoil="nan-last-values")),
}


results = running({name: chosen for name, (_, chosen) in CHOSEN.items()}, lambda _: SCHEDULES)


@pytest.mark.parametrize("name", CHOSEN)
def test_chosen(name, results):
    compare(CHOSEN[name][1], results[name].result())


@pytest.mark.parametrize("name", CHOSEN)
def test_the_plan_has_the_layout(name, tmp_path):
    layout, chosen = CHOSEN[name]
    assert f"of {layout}<" in plan_of(chosen, tmp_path)


# Tiles of sizes of their own beside ones of 48 keys, lists with slots that stand nowhere, and
# runs that are wider than a tile.
BY_HAND = {
    "lists": (
        case(union(global_([7, 30], direction="columns"),
                   intersection(causal, periodic_columns(64, 32))), d=64, dtype="f16"),
        '<tile = [64, 48], rows = [<"0" to "nq", segments = ['
        '<partial "0" to "1" of list<[7, 30], width = 1, tile = 16>'
        ' where "j < nk">,'
        '<partial "0" to "(nk + 31) floordiv 64 + (nk + 15) floordiv 64" of lattice<step = 64,'
        ' width = 32, shift = 32, tile = 16> where "j < i + 1 and j < nk">]>]>'),
    "columns": (
        case(periodic_columns(16, 1), d=128, dtype="bf16"),
        '<tile = [128, 48], rows = [<"0" to "nq", segments = ['
        '<full "0" to "nk floordiv 256" of lattice<step = 16, width = 1, shift = 15, tile = 16>>,'
        '<partial "nk floordiv 256" to "(nk floordiv 16 + 15) floordiv 16" of lattice<step = 16,'
        ' width = 1, shift = 15, tile = 16> where "j < nk">]>]>'),
}


@pytest.mark.parametrize("name", BY_HAND)
def test_by_hand(name):
    compare_with_plan(*BY_HAND[name])
