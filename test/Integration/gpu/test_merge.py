# RUN: %pytest %s
"""Merged results, by kernels in the emulator."""

import os

import pytest
from merge import check_merge

TOOL = os.environ.get("SPARSE_ATTN_RUN", "sparse-attn-run")


@pytest.mark.parametrize("dtype", ["f32", "f16", "bf16"])
@pytest.mark.parametrize("rows, size, dynamic", [(70, 64, True), (64, 144, False), (9, 80, False)])
def test_merge(dtype, rows, size, dynamic):
    check_merge(TOOL, dtype, rows, size, "--device=emulator", dynamic=dynamic)


@pytest.mark.parametrize("seed", range(3))
def test_schedules(seed):
    options = ["--device=emulator", f"--schedule-seed={seed}"]
    check_merge(TOOL, "f32", 70, 64, *options)
