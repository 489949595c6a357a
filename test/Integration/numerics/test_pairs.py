# RUN: %pytest %s
"""A plan's pairs are those that code for the CPU computes: the multiply-adds of products of
tiles, counted while they run, are D + Dv for each of inspect's `computed_pairs`, whatever
the mask, for tiles of either width of vectors."""

import pytest
from pairs import CASES, OWN, counted_multiply_adds, planned_multiply_adds

RUNS = [(name, "x86-64-v4") for name in CASES] + [(name, "x86-64-v3") for name in OWN]


@pytest.mark.parametrize("name, target", RUNS)
def test_code_computes_the_pairs_of_the_plan(name, target, tmp_path):
    case = CASES[name]
    planned, plan = planned_multiply_adds(case, target, tmp_path)
    counted = counted_multiply_adds(case, tmp_path, f"--target={target}", "--count-products")
    assert counted == planned, plan
