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
    "longformer-twice-split": Case(longformer(16, [0, 90]), sq=200, d=128, batch=1, lse=False),
    "sinks": Case(causal, sq=60, batch=1, sinks=(0.5, -1.0)),
    "lengths": Case(causal, sq=60, key_lengths=(30, 60), query_lengths=(20, 60)),
    "softcap": Case(causal, sq=60, batch=1, softcap=3.0),
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
    operands = [array.astype(dtype) for array in inputs[:3]]
    results = module("attention", *operands, *case.data().values())
    sinks = case.all_sinks()
    expected = reference(
        *inputs[:3], case.live(), case.effective_scale, case.softcap, sinks
    )
    for result, right in zip(results, expected):
        finite = right[np.isfinite(right)]
        np.testing.assert_allclose(
            result.astype(np.float64), right, rtol=0,
            atol=TOLERANCES[case.dtype] * abs(finite).max(),
        )


def run_dynamic(tmp_path, *shapes):
    case = Case(causal, sq=20, heads=4, groups=2, lse=False, dynamic=True, batch=1)
    export(module_text(case), tmp_path)
    module = Module(compile_file(tmp_path / "attention.iree.mlir"))
    return module("attention", *(np.zeros(shape, np.float32) for shape in shapes))


@pytest.mark.parametrize(
    "keys, values, why",
    [
        ((1, 2, 20, 16), (1, 2, 19, 16), "attention: sizes do not agree that are all Sk"),
        ((1, 3, 20, 16), (1, 3, 20, 16), "the number of query heads, Hq, must be a multiple"),
    ],
)
def test_sizes_that_do_not_fit(keys, values, why, tmp_path):
    with pytest.raises(RuntimeError, match=why):
        run_dynamic(tmp_path, (1, 4, 20, 16), keys, values)


def test_processor_without_the_instructions(tmp_path):
    case = Case(causal, sq=20, lse=False, batch=1)
    export(module_text(case), tmp_path)
    path = tmp_path / "attention.iree.mlir"
    # As it is on a processor without AVX2.
    lacking = 'key = "none-has-this", default_value = false'
    text = path.read_text()
    assert 'key = "avx2", default_value = true' in text
    path.write_text(text.replace('key = "avx2", default_value = true', lacking))
    module = Module(compile_file(path))
    with pytest.raises(RuntimeError, match="compiled for x86-64-v3, and this processor has no avx2"):
        module("attention", *(array.astype(np.float32) for array in case.inputs()))
