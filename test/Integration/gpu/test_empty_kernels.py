# RUN: %pytest %s
"""No query or no key, as kernels: no thread reads or writes out of bounds."""

import os

import pytest
from empty import MASKS, SHAPES, check_empty

TOOL = os.environ.get("SPARSE_ATTN_RUN", "sparse-attn-run")


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("mask", MASKS)
def test_empty(mask, shape):
    check_empty(TOOL, mask, shape, True, "--device=emulator")


@pytest.mark.parametrize("shape", SHAPES)
def test_empty_at_compile_time(shape):
    check_empty(TOOL, "longformer", shape, False, "--device=emulator")
