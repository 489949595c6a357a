"""Host code of functions that are named like those of the C library."""

import numpy as np
import pytest
import sparse_attn
from conftest import INPUTS, compile_package, longformer, random, reference

NAMES = ["malloc", "free", "memcpy", "exp", "_mlir_ciface_f", "sparse_attn_host_f", "a b", ""]


@pytest.fixture(scope="module")
def directory(tmp_path_factory):
    text = (INPUTS / "attention.mlir").read_text()
    types, _, rest = text.partition("func.func @longformer")
    body = rest.partition("\n}\n")[0]
    path = tmp_path_factory.mktemp("names")
    functions = [f'func.func @"{name}"{body}\n}}\n' for name in NAMES]
    (path / "names.mlir").write_text(types + "".join(functions))
    return compile_package(path / "package", "native", file=path / "names.mlir")


@pytest.mark.parametrize("name", NAMES)
def test_the_function_is_what_runs(directory, name):
    tensors = [random((1, 2, 150, 64), seed=i) for i in range(3)]
    with sparse_attn.load(directory) as package:
        o, lse = package[name](*tensors)
    expected, expected_lse = reference(*tensors, longformer)
    np.testing.assert_allclose(o, expected, atol=2e-6)
    np.testing.assert_allclose(lse, expected_lse, atol=1e-5)
