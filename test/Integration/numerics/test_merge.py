# RUN: %pytest %s
"""Merged results, on the CPU."""

import os
import subprocess

import pytest
from merge import check_merge

TOOL = os.environ.get("SPARSE_ATTN_RUN", "sparse-attn-run")


@pytest.mark.parametrize("dtype", ["f32", "f16", "bf16"])
@pytest.mark.parametrize("rows, size, dynamic", [(70, 64, True), (64, 48, False), (9, 96, False)])
def test_merge(dtype, rows, size, dynamic):
    check_merge(TOOL, dtype, rows, size, dynamic=dynamic)


def test_dense():
    def to_dense(text):
        command = ["sparse-attn-opt", "-", "--sparse-attn-to-dense-linalg"]
        return subprocess.run(
            command, input=text, capture_output=True, text=True, check=True
        ).stdout

    check_merge(TOOL, "f16", 70, 64, rewrite=to_dense)


def test_threads():
    check_merge(TOOL, "f32", 130, 64, "--threads=2")
