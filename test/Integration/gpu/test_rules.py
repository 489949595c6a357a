# RUN: %pytest %s
"""The zoo of masks by every tile rule of the targets and in every variant of a program,
each case under eight schedules, which must give the same bits.

Each rule is here once, while variants and masks take turns. SPARSE_ATTN_ROUNDS=N has each
rule in each variant N times, with other masks in each round; as many rounds as there are
masks are all combinations.
"""

import itertools
import os

import pytest
from attention import Case
from kernels import SCHEDULES, compare, running
from rules import shortest_heads
from test_numerics import CASES as CPU_CASES

ROUNDS = int(os.environ.get("SPARSE_ATTN_ROUNDS", "0"))
RULES = list(shortest_heads())
MASKS = list({case.mask.text: case.mask for case in CPU_CASES.values()}.values())

# Lengths for which a program has kernels of their own, and options of the tool.
VARIANTS = {
    "general": ({"sq": 141, "sk": 211, "dynamic": True}, ()),
    "few-rows": ({"sq": 1, "sk": 211, "heads": 4, "groups": 4, "dynamic": True}, ()),
    "equal": ({"sq": 141, "dynamic": True}, ()),
    "few-blocks": ({"sq": 20, "sk": 530, "dynamic": True}, ("--sm-count=16",)),
    "aligned": ({"sq": 192, "dynamic": True}, ()),
    "known": ({"sq": 141, "sk": 211}, ()),
}


def chosen():
    """(rule, name of a variant, mask)"""
    if not ROUNDS:
        return zip(RULES, itertools.cycle(VARIANTS), itertools.cycle(MASKS))
    pairs = list(itertools.product(RULES, VARIANTS))
    return [
        (*pair, MASKS[(place + turn) % len(MASKS)])
        for turn in range(ROUNDS)
        for place, pair in enumerate(pairs)
    ]


CASES, OPTIONS = {}, {}
for number, ((chip, dtype, d), variant, mask) in enumerate(chosen()):
    name = f"{number}-{chip}-{dtype}-d{d}-{variant}"
    sizes, options = VARIANTS[variant]
    sizes = {"heads": 1, "batch": 1} | sizes
    if dtype == "bf16" and number % 2:
        dtype = "f16"
    CASES[name] = Case(mask, d=d, dtype=dtype, **sizes)
    OPTIONS[name] = (f"--chip={chip}", *options)

results = running(CASES, lambda _: SCHEDULES, options_of=OPTIONS.get)


@pytest.mark.parametrize("name", CASES)
def test_case(name, results):
    # Of one row to some hundred, so that errors are a matter of luck.
    compare(CASES[name], results[name].result(), times=4)
