"""Which function `package(...)` calls where several take the tensors."""

import numpy as np
import pytest
import sparse_attn
from conftest import INPUTS, causal, compile_package, random, reference
from sparse_attn import errors


@pytest.fixture(scope="module")
def package(tmp_path_factory):
    path = tmp_path_factory.mktemp("packages") / "choices"
    compile_package(path, "native", file=INPUTS / "choices.mlir")
    with sparse_attn.load(path) as package:
        yield package


def tensors(b, h, d=16, dtype=np.float32, s=20):
    return [random((b, h, s, d), dtype, seed=i) for i in range(3)]


def check_ambiguous(call, *names):
    with pytest.raises(errors.AmbiguousError) as raised:
        call()
    assert isinstance(raised.value, LookupError) and raised.value.status == 20
    listed = ", ".join(repr(name) for name in names)
    assert f"the others: {listed}; choose one by its name" in str(raised.value)
    assert "as package[name](...)" in str(raised.value)


def test_equal_types_are_an_error_that_names_both(package):
    call = tensors(2, 3)
    check_ambiguous(lambda: package(*call), "causal", "window", "with_lse")
    check_ambiguous(lambda: package.find(*call), "causal", "window", "with_lse")
    # As the message says.
    expected, lse = reference(*call, causal)
    np.testing.assert_allclose(package["causal"](*call), expected, atol=2e-6)
    o, got = package["with_lse"](*call)
    np.testing.assert_allclose(o, expected, atol=2e-6)
    np.testing.assert_allclose(got, lse, atol=1e-5)


def test_equal_types_in_the_other_layout(package):
    call = [x.transpose(0, 2, 1, 3) for x in tensors(2, 3)]
    names = ("causal", "window", "with_lse")
    check_ambiguous(lambda: package(*call, layout="bshd"), *names)


@pytest.mark.parametrize(
    "b, h, name",
    [(2, 3, "any"), (1, 3, "one_batch"), (2, 4, "four_heads"), (1, 4, "both")],
)
def test_the_one_that_takes_fewest_is_called(package, b, h, name):
    call = tensors(b, h, dtype=np.float16)
    assert package.find(*call).name == name
    swapped = [x.transpose(0, 2, 1, 3) for x in call]
    assert package.find(*swapped, layout="bshd").name == name
    # Twenty heads of four queries are not four heads.
    assert package.find(*swapped).name == ("one_batch" if b == 1 else "any")


def test_as_many_fixed_sizes_are_no_reason(package):
    call = tensors(1, 4, 32, np.float16)
    check_ambiguous(lambda: package(*call), "one_batch_32", "four_heads_32")
    assert package.find(*tensors(2, 4, 32, np.float16)).name == "four_heads_32"
    assert package.find(*tensors(1, 5, 32, np.float16)).name == "one_batch_32"


def test_no_function(package):
    with pytest.raises(errors.NotFoundError) as raised:
        package(*tensors(2, 5, 32, np.float16))
    message = str(raised.value)
    assert "of 'one_batch_32' has size 2 in dimension 0, expected 1" in message
    assert "of 'four_heads_32' has size 5 in dimension 1, expected 4" in message
