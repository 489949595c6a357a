# RUN: %pytest %s
"""No query or no key, on the CPU."""

import os

import pytest
from empty import MASKS, SHAPES, check_empty

TOOL = os.environ.get("SPARSE_ATTN_RUN", "sparse-attn-run")


@pytest.mark.parametrize("dynamic", [False, True], ids=["static", "dynamic"])
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("mask", MASKS)
def test_empty(mask, shape, dynamic):
    check_empty(TOOL, mask, shape, dynamic)
