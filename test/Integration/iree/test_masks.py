# RUN: %pytest %s
"""Kernels that run in IREE give what the reference in double gives."""

import numpy as np
import pytest
from iree_export import Module, compile_file, export

from attention import Case, module_text, reference
from masks import bigbird, causal, longformer

CASES = {
    "causal": Case(causal, sq=100, batch=1),
    "causal-f16": Case(causal, sq=100, dtype="f16", d=64, lse=False, batch=1),
    "causal-dynamic": Case(causal, sq=100, heads=4, groups=2, dynamic=True, batch=1),
    "longformer": Case(longformer(16, [0, -1]), sq=200, batch=1),
    "longformer-dynamic-f16": Case(longformer(16, [0]), sq=200, dtype="f16", dynamic=True, batch=1),
    "bigbird": Case(bigbird(16, 3, 2), sq=128, lse=False, batch=1),
    "bigbird-dynamic": Case(bigbird(16, 3, 2), sq=150, d=64, dynamic=True, batch=1),
}
TOLERANCES = {"f32": 2e-6, "f16": 2e-3}


@pytest.mark.parametrize("name", CASES)
def test_mask(name, tmp_path):
    case = CASES[name]
    export(module_text(case), tmp_path)
    module = Module(compile_file(tmp_path / "attention.iree.mlir"))
    inputs = case.inputs()
    dtype = {"f32": np.float32, "f16": np.float16}[case.dtype]
    results = module("attention", *(array.astype(dtype) for array in inputs))
    expected = reference(*inputs, case.live(), case.effective_scale)
    for result, right in zip(results, expected):
        np.testing.assert_allclose(
            result.astype(np.float64), right, rtol=0, atol=TOLERANCES[case.dtype] * abs(right).max()
        )
