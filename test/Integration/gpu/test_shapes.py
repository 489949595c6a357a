# RUN: %pytest %s
"""Head sizes, types, lengths, shared heads and more: every two values together.

More combinations, and all of a long run, with SPARSE_ATTN_LONG=1.
"""

import dataclasses

import pytest
from attention import Case
from covering import covering
from kernels import LONG, SCHEDULES, compare, fewer_rows, running
from masks import causal, complement, full, intersection, longformer
from masks import prefix, random, sliding_window, strided, union

SIZES = (16, 32, 48, 64, 80, 96, 128, 160, 256)
MASKS = {
    "full": full,
    "causal": causal,
    "window": sliding_window(left=40, right=7),
    "longformer": longformer(window=16, global_tokens=[0]),
    "random": union(sliding_window(1, 1), random(block=16, blocks_per_row=1)),
    "composition": intersection(causal, union(strided(3), prefix(8))),
    # No key for the first rows, in a tile where others have keys.
    "empty-rows": intersection(
        sliding_window(70, 0), complement(prefix(30))
    ),
}
# Many tiles either way, more than the copies under way at once, and a row and a key over.
LONGEST = 1025 if LONG else 385
FACTORS = {
    "d": SIZES,
    "dv": SIZES if LONG else (None, 16, 64, 80, 256),  # None: as d
    "dtype": ("f16", "bf16", "f32"),
    "sq": (1, 2, 63, 64, 65, 97, 129, LONGEST),
    "keys": ("same", "more", "fewer"),
    "groups": (1, 4, 8),
    "lse": (True, False),
    "dynamic": (False, True),
    "mask": tuple(MASKS),
    "magnitude": (1.0, 100.0),
}


def keys_of(row):
    return {"same": row["sq"], "more": row["sq"] + 61, "fewer": -(-row["sq"] // 2)}[
        row["keys"]
    ]


def products_of(row):
    """Of tiles, in columns of operands."""
    sizes = row["d"] + (row["dv"] or row["d"])
    queries, keys = (-(-length // 64) for length in (row["sq"], keys_of(row)))
    return queries * keys * row["groups"] * sizes


def is_quick(row):
    """Emulated products cost time, those of f32 most."""
    if row["mask"] == "empty-rows" and keys_of(row) <= 30:
        return False  # no key for any row: a case of test_zoo.py
    products = products_of(row)
    if LONG:
        return products < 600_000
    return products < (2_500 if row["dtype"] == "f32" else 15_000)


def case_of(row):
    case = Case(
        MASKS[row["mask"]],
        sq=row["sq"],
        sk=keys_of(row),
        d=row["d"],
        dv=row["dv"],
        heads=row["groups"],
        groups=row["groups"],
        dtype=row["dtype"],
        lse=row["lse"],
        dynamic=row["dynamic"],
    )
    if row["magnitude"] > 1:
        # Logits of some 10^4 for any d, scaled by a power of two: rounded alike.
        magnitude = row["magnitude"] * (16 / row["d"]) ** 0.25
        case = dataclasses.replace(case, scale=0.125, magnitude=magnitude)
    return dataclasses.replace(case, batch=min(fewer_rows(case).batch, 4))


def name_of(row):
    words = [
        f"{row['dtype']}-d{row['d']}-dv{row['dv'] or row['d']}",
        f"sq{row['sq']}-sk{keys_of(row)}-by{row['groups']}-{row['mask']}",
        "lse" if row["lse"] else "",
        "dynamic" if row["dynamic"] else "",
        "huge" if row["magnitude"] > 1 else "",
    ]
    return "-".join(word for word in words if word)


ROWS = covering(FACTORS, is_quick)
CASES = {name_of(row): case_of(row) for row in ROWS}
ROW_OF = {name_of(row): row for row in ROWS}


def cost_of(name):
    """An f32 product is six of bf16."""
    case, row = CASES[name], ROW_OF[name]
    return products_of(row) * case.batches * (6 if case.dtype == "f32" else 1)


def cheapest(factor, kind):
    """Of several tiles of keys."""
    fitting = [name for name, row in ROW_OF.items()
               if row[factor] == kind and keys_of(row) > 64]
    return min(fitting, key=cost_of)


# Under other schedules the bits must be the same: of each mask and of each type, one.
SCHEDULED = {cheapest(factor, kind) for factor in ("mask", "dtype") for kind in FACTORS[factor]}

results = running(CASES, lambda name: SCHEDULES if LONG or name in SCHEDULED else 1)


@pytest.mark.parametrize("name", CASES)
def test_case(name, results):
    compare(CASES[name], results[name].result())


def test_every_value_is_there():
    for factor, values in FACTORS.items():
        assert {row[factor] for row in ROWS} == set(values)
