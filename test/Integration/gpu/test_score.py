# RUN: %pytest %s
"""Steps whose scores a region makes anew, by kernels in the emulator: the state that
trusts its operands, and exact steps behind it."""

import os

import pytest
from score import check_score

TOOL = os.environ.get("SPARSE_ATTN_RUN", "sparse-attn-run")


@pytest.mark.parametrize("scale", [0.3, -0.3])
@pytest.mark.parametrize("dtype", ["f32", "f16", "bf16"])
def test_score(dtype, scale):
    check_score(TOOL, dtype, scale, "--device=emulator")
