# RUN: %pytest %s
"""Query tiles and key tiles from a plan's table, as kernels, under eight schedules: chosen by
the planner and written by hand. Where rows of a tile see the same keys and where each sees
its own, in f16, bf16 and f32, where warps meet for each tile and where they run apart."""

import re

import pytest
from attention import Case
from kernels import (
    SCHEDULES,
    compare,
    compare_text,
    compare_with_plan,
    plan_of,
    running,
)
from masks import (
    causal,
    chunked,
    documents,
    intersection,
    rectangle,
    sliding_window,
    union,
)

# Of more pieces than a plan in closed form may have; some longer than a tile of queries, some
# shorter than the rows of a warp, one of a single token.
LENGTHS = [17 + (i * 37) % 23 for i in range(65)] + [150, 1, 141]
TOKENS = sum(LENGTHS)
DOCUMENTS = documents(*LENGTHS)
# The rows of each stretch of 30 see keys elsewhere, the last ones none.
PATCHES = union(*(
    rectangle((30 * i, 30 * i + 30), ((i * 197) % 900, (i * 197) % 900 + 33 + i % 50))
    for i in range(70)))


def case(mask, **others):
    sizes = {"sq": TOKENS, "heads": 1, "batch": 1}
    return Case(mask, **(sizes | others))


CHOSEN = {
    "documents-bf16": case(DOCUMENTS, d=64, dtype="bf16"),
    "documents-f16-d128": case(DOCUMENTS, d=128, dtype="f16", heads=2, groups=2),
    "documents-f32": case(DOCUMENTS, d=32),
    "documents-d192": case(DOCUMENTS, d=192, dtype="bf16"),
    "causal-bf16": case(intersection(causal, DOCUMENTS), d=64, dtype="bf16"),
    "causal-f16-d128": case(intersection(causal, DOCUMENTS), d=128, dtype="f16"),
    "causal-f32": case(intersection(causal, DOCUMENTS), d=40),
    "windows": case(
        intersection(sliding_window(30, 7), DOCUMENTS), d=64, dtype="f16", heads=4, groups=2),
    "more-keys": case(DOCUMENTS, sq=700, sk=TOKENS, d=64, dtype="bf16"),
    "more-queries": case(DOCUMENTS, sq=TOKENS + 111, sk=TOKENS, d=64, dtype="f16"),
    "patches": case(PATCHES, sq=2133, sk=2200, d=64, dtype="bf16"),
    # Key 40 is one of few queries, and the others' tiles are not computed for it.
    "spoilt": case(DOCUMENTS, d=64, dtype="f16", spoil="nan-value"),
    "spoilt-causal": case(
        intersection(causal, DOCUMENTS), d=64, dtype="bf16", spoil="infinite-score"),
    "spoilt-end": case(DOCUMENTS, d=64, dtype="bf16", spoil="nan-last-values"),
}


results = running(CHOSEN, lambda _: SCHEDULES)


@pytest.mark.parametrize("name", CHOSEN)
def test_chosen(name, results):
    compare(CHOSEN[name], results[name].result())


def planned(name, tmp_path, options=""):
    """The module with a plan that is proven."""
    return plan_of(CHOSEN[name], tmp_path, options, "--sparse-attn-prove-plan=fail-unsupported")


@pytest.mark.parametrize("name", CHOSEN)
def test_the_plan_has_a_table_that_is_proven(name, tmp_path):
    assert "table = [<0 to" in planned(name, tmp_path)


def test_short_documents_have_small_tiles(tmp_path):
    assert "tile = [32, 32]" in planned("documents-bf16", tmp_path)
    assert "tile = [128, 48]" in planned("documents-f16-d128", tmp_path)


@pytest.mark.parametrize("name", ("documents-bf16", "causal-bf16", "windows", "spoilt-end"))
def test_in_the_usual_tiles(name, tmp_path):
    """As longer documents have them: warps without a row leave out partial and full tiles."""
    text = planned(name, tmp_path, "tile-queries=128 tile-keys=64")
    assert "tile = [128, 64]" in text
    compare_text(CHOSEN[name], text)


def table(tile, *queries):
    """A plan of query tiles (first row, end, partial, full)."""
    tiles = ", ".join(f"<{begin} to {end}, partial = {partial}, full = {full}>"
                      for begin, end, partial, full in queries)
    tiles = re.sub(r", (partial|full) = \[\]", "", tiles)
    return (f'<tile = {list(tile)}, rows = [<"{queries[0][0]}" to "{queries[-1][1]}", '
            f"table = [{tiles}]>]>")


# Tiles that begin anywhere, query tiles of one row and of none that is live, and a tile that
# passes the end.
BY_HAND = {
    "chunks": (
        case(chunked(40), sq=100, d=64, dtype="bf16"),
        table((64, 16), (0, 40, [32], [0, 16]), (40, 41, [72], [40, 56]),
              (41, 80, [72], [40, 56]), (80, 100, [96], [80]))),
    "without-full-tiles": (
        case(sliding_window(9, 0), sq=60, sk=100, d=32),
        table((32, 32), (0, 20, [31], []), (20, 40, [51], []), (40, 60, [70], []))),
    "without-keys": (
        case(rectangle((0, 100), (0, 21)), sq=150, d=64, dtype="f16"),
        table((128, 16), (0, 100, [16], [0]), (100, 113, [5, 21], []), (113, 150, [], []))),
}


@pytest.mark.parametrize("name", BY_HAND)
def test_by_hand(name):
    compare_with_plan(*BY_HAND[name])
