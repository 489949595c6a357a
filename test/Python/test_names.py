"""Host code of functions that are named like those of the C library."""

import numpy as np
import pytest
import sparse_attn
from conftest import INPUTS, compile_package, longformer, random, reference

NAMES = ["malloc", "free", "memcpy", "exp", "_mlir_ciface_f", "sparse_attn_host_f", "a b", ""]
NAMES += ["two\nlines", "\x07\\"]


def symbol(name):
    """As MLIR writes it."""
    codes = "".join(
        c if c.isprintable() and c != "\\" else f"\\{ord(c):02x}" for c in name
    )
    return f'"{codes}"'


@pytest.fixture(scope="module")
def directory(tmp_path_factory):
    text = (INPUTS / "attention.mlir").read_text()
    types, _, rest = text.partition("func.func @longformer")
    body = rest.partition("\n}\n")[0]
    path = tmp_path_factory.mktemp("names")
    functions = [f"func.func @{symbol(name)}{body}\n}}\n" for name in NAMES]
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


@pytest.mark.parametrize("name", NAMES)
def test_names_are_on_one_line(directory, name):
    q, k, v = (random((1, 2, 150, 64), seed=i) for i in range(3))
    with sparse_attn.load(directory) as package:
        function = package[name]
        assert repr(function).startswith(f"<sparse_attn.Function {repr(name)[1:-1]}(f32")
        assert repr(package).endswith(", ".join(repr(n)[1:-1] for n in NAMES) + ">")
        for wrong in [(q, k), (q, k[0], v), (q, k.astype(np.float64), v)]:
            with pytest.raises(sparse_attn.SparseAttnError) as raised:
                function(*wrong)
            assert repr(name) in str(raised.value)
            assert "\n" not in str(raised.value)
        with pytest.raises(sparse_attn.errors.NotFoundError) as raised:
            package(q, k[0], v)
        assert all(repr(n) in str(raised.value) for n in NAMES)
