# RUN: %pytest %s
"""The cases of the CPU's tests, every mask among them, as kernels.

Where a case does not ask for f32's range, f16, bf16 and f32 take turns.
"""

import dataclasses

import pytest
from attention import Case
from kernels import LONG, SCHEDULES, compare, fewer_rows, running, supports
from masks import causal, complement, full, intersection
from test_numerics import CASES as CPU_CASES

TYPES = ("f16", "bf16", "f32")


def of_any_type(case):
    is_plain = case.magnitude == 1 and case.scale is None
    is_plain &= "values" not in (case.spoil or "") or "nan" in case.spoil
    return case.dtype == "f32" and is_plain


CASES = {}
for number, (name, case) in enumerate(CPU_CASES.items()):
    if of_any_type(case):
        case = dataclasses.replace(case, dtype=TYPES[number % 3])
    if supports(case):
        CASES[name] = fewer_rows(case)
# Less than a tile, and nothing to compute.
CASES["no-key-two-rows"] = Case(intersection(causal, complement(causal)), sq=2)
# Scores of hundreds, in rows enough that no few of them have all the error.
CASES["large-scores"] = Case(causal, magnitude=16.0, scale=0.25, batch=16)
CASES["large-scores-d64"] = Case(full, d=64, magnitude=11.3, scale=0.125, batch=16)

# Under other schedules the bits must be the same: in these, one of each kind of
# kernel (one loop, several, heavy rows and their merge, tables, lists).
SCHEDULED = {"full", "causal", "global", "bigbird", "random", "dynamic-global", "batch"}

results = running(CASES, lambda name: SCHEDULES if LONG or name in SCHEDULED else 1)


@pytest.mark.parametrize("name", CASES)
def test_case(name, results):
    compare(CASES[name], results[name].result())

