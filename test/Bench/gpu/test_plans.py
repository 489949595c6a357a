"""Trips of the loops over tiles, from plans as manifests print them."""

import plans
import pytest
from launches import _roles
from packages import BenchError
from patterns import PATTERNS
from plans import TableTile, evaluate, parse_plan, parse_table, part_of

WINDOW = [
    "tile 128 x 64",
    "rows 0 to nq",
    "  partial 0 to 2 when q * 128 - 1024 > 0 where j >= i - 512 or j < 65",
    "  partial max(1, (q * 128 + nk - nq - 1023) floordiv 64) to"
    " max(1, (q * 128 + nk - nq - 833) floordiv 64) where j >= i - 512",
    "  full max(1, (q * 128 + nk - nq - 833) floordiv 64) to"
    " max(1, (q * 128 + nk - nq + 1) floordiv 64)",
    "rows 0 to 1, heavy",
    "  full 0 to nk floordiv 64",
]
LENGTHS = {"nq": 8192, "nk": 8192}


def test_formulas_of_plans_and_of_manifests():
    assert evaluate("(nk + 63) floordiv 64", {"nk": 65}) == 2
    assert evaluate("nk floordiv 64 * 2", {"nk": 130}) == 4
    assert evaluate("B * floordiv(max(min(Sq, 7), 0) + 127, 128)", {"B": 3, "Sq": 500}) == 3
    assert evaluate(4096, {}) == 4096


def test_trips_follow_the_segments():
    plan = parse_plan(WINDOW)
    rows, heavy = plan.classes
    assert rows.tile == heavy.tile == (128, 64) and heavy.heavy and not rows.heavy
    assert rows.loops == ("partial where j >= i - 512 or j < 65", "partial where j >= i - 512",
                          "full")
    assert heavy.loops == ("full",)
    assert plan.trips(rows, 0, LENGTHS) == (0, 0, 0)
    assert plan.trips(rows, 8, LENGTHS) == (0, 1, 14)  # its condition does not hold yet
    assert plan.trips(rows, 20, LENGTHS) == (2, 2, 14)
    assert plan.trips(heavy, 0, LENGTHS) == (128,)


STRIDED = [
    "2 parts",
    "part folded by 128, j < i + 1, tile 64 x 32",
    "rows 0 to nq",
    "  partial 0 to min(q * 2 + 2, (nk + 31) floordiv 32)",
    "part j >= i - 127 and j < i, tile 64 x 64",
    "rows 0 to nq",
    "  full 0 to min(q, 2)",
    "  partial q to q + 1 where j < i",
    "rows 0 to 1, heavy",
    "  full 0 to nk floordiv 64",
]


def test_folded_parts_have_the_tiles_of_each_residue():
    plan = parse_plan(STRIDED)
    folded, window, heavy = plan.classes
    assert (folded.step, folded.part, folded.tile) == (128, 0, (64, 32))
    assert [rows.part for rows in (window, heavy)] == [1, 1] and plan.last_part == 1
    assert folded.tiles(LENGTHS) == 128 and window.tiles(LENGTHS) == 128
    longer = {"nq": 8193, "nk": 8193}  # the first residue has 65 rows, others 64
    assert folded.tiles(longer) == 256
    assert [plan.trips(folded, q, longer) for q in range(4)] == [(2,), (3,), (2,), (0,)]
    # Rows before the first key see none.
    assert plan.trips(folded, 0, {"nq": 300, "nk": 2}) == (0,)
    assert [role for role, _ in (launch[0] for launch in _roles(plan))] == [
        "states", "parts", "merge"]


def test_tiles_of_layouts_have_loops_of_their_own():
    plan = parse_plan([
        "tile 128 x 64",
        "rows 0 to nq",
        "  full q * 2 to q * 2 + 1",
        "  partial q * 2 to q * 2 + 2 where j < i + 1",
        "  full 0 to q floordiv 4 of lattice<step = 128, width = 8, shift = 120, tile = 32>",
        "  partial 0 to 1 when q - 2 > 0 of list<[3, 77], width = 1, tile = 16>"
        " where j < nk and j mod 16 in 0 to 14",
    ])
    rows, = plan.classes
    # A tile that comes once is in no loop.
    assert rows.loops == (
        "partial where j < i + 1",
        "full",
        "full of lattice<step = 128, width = 8, shift = 120, tile = 32>",
    )
    assert plan.trips(rows, 2, LENGTHS) == (2, 1, 0)
    assert plan.trips(rows, 9, LENGTHS) == (2, 1, 2)
    assert rows.most_keys(64) == 64 and rows.most_keys(16) == 32


@pytest.mark.parametrize("line, heads, few_blocks", [
    ("tile 1 x 32 of 16 heads, for few blocks", 16, True),
    ("tile 1 x 32 of 4 heads, where nk = nq", 4, False),
    ("tile 16 x 32, where nk = nq, for few blocks", 1, True),
])  # fmt: skip
def test_a_tile_may_have_several_heads(line, heads, few_blocks):
    plan = parse_plan([line, "rows 0 to nq, heavy", "  full 0 to q"])
    assert (plan.heads, plan.few_blocks) == (heads, few_blocks)
    assert plan.classes[0].tile[1] == 32


def test_parts_share_all_tiles():
    parts = [part_of((125, 3), index, 64) for index in range(64)]
    assert sum(partial for partial, _ in parts) == 125 and sum(full for _, full in parts) == 3
    assert {partial for partial, _ in parts} == {1, 2}


@pytest.mark.parametrize("kind, expected", [
    ("draw", [(3, 3), (2, 3), (0, 1)]),
    ("draw full", [(6,), (5,), (1,)]),
])
def test_drawn_tiles_count_once(kind, expected):
    """Query tiles of two row blocks, whose first and last row blocks draw nothing."""
    plan = parse_plan(["tile 32 x 16", "rows 0 to nq", "  full 0 to 1",
                       f"  {kind} 2 blocks of 16, 0 to 6 when 3 - q > 0",
                       "  full 2 to 4 when 2 - q > 0"])
    drawn = [[-1, -1], [1, 5], [3, 4], [4, 5], [-1, 9], [-1, -1]]
    drawn[1].append(4)
    sizes = {"nq": 96, "nk": 96}
    found = [plan.trips(plan.classes[0], q, sizes, drawn) for q in range(3)]
    assert found == expected


def test_blocks_are_drawn_as_the_compiler_does():
    table = plans.drawn_blocks(PATTERNS["bigbird"].parameters, heads=2, keys=1024)
    assert len(table) == 2 and len(table[0]) == 16
    assert table[0][0] == [-1, -1, -1] and table[0] != table[1]
    for row, blocks in enumerate(table[1][1:-1], start=1):
        assert len(set(blocks)) == 3 and not {0, row - 1, row, row + 1, 15} & set(blocks)


TABLE = [{"rows": [0, 64], "partial": [192], "full": [0, 64]},
         {"rows": [64, 70], "partial": [], "full": [0]},
         {"rows": [70, 200], "partial": [], "full": []}]


def test_tables_are_tiles_one_by_one():
    table = parse_table(TABLE)
    assert table == [TableTile(0, 64, (192,), (0, 64)), TableTile(64, 70, (), (0,)),
                     TableTile(70, 200, (), ())]
    lines = ["tile 64 x 64", "rows 0 to 200, table",
             "  tile <0 to 64, partial = [192], full = [0, 64]>",
             "  and 2 more query tiles; all 3 have 1 partial and 3 full key tiles"]
    plan = parse_plan(lines, table)
    rows, = plan.classes
    sizes = {"nq": 200, "nk": 200}
    assert rows.loops == ("partial", "full") and rows.tiles(sizes) == 3
    assert [plan.trips(rows, q, sizes) for q in range(3)] == [(1, 2), (0, 1), (0, 0)]
    assert plan.key_tiles(rows, 0, sizes) == ((192,), (0, 64))
    assert rows.rows(1, sizes) == range(64, 70)
    for others in ((), table[:2]):
        with pytest.raises(BenchError, match="the plan's table has other tiles than 'and 2 more"):
            parse_plan(lines, others)
    # A short one is in the manifest.
    assert parse_plan(lines[:3]).classes[0].table == table[:1]


def test_an_unknown_line_is_named():
    with pytest.raises(BenchError, match="'  dozens 1 to 2' is no line of a plan"):
        parse_plan(["tile 16 x 16", "rows 0 to nq", "  dozens 1 to 2"])
