# RUN: %pytest %s
"""Modules for CUDA compile with our PTX in them."""

import re

import pytest
from iree_export import compile_file, export

from attention import Case, module_text
from masks import bigbird, causal, longformer

CASES = {
    "causal": Case(causal, sq=256, d=64, dtype="f16", batch=1),
    "longformer": Case(longformer(64, [0]), sq=512, d=64, dtype="f16", lse=False, batch=1),
    "bigbird-dynamic": Case(bigbird(64, 3, 2), sq=512, d=64, lse=False, dynamic=True),
}


@pytest.mark.parametrize("name", CASES)
def test_cuda(name, tmp_path):
    export(module_text(CASES[name]), tmp_path, "sm_80")
    device = ["--iree-hal-target-device=cuda", "--iree-cuda-target=sm_80"]
    binary = compile_file(tmp_path / "attention.iree.mlir", device=device)
    ptx = (tmp_path / "attention.ptx").read_text()
    kernels = re.findall(r"\.visible \.entry (\w+)", ptx)
    assert kernels
    # The text is in the module as it is.
    assert binary.count(ptx.rstrip("\0").encode()) == 1
    for kernel in kernels:
        assert kernel.encode() in binary
