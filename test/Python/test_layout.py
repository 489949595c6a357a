"""Messages count dimensions as the caller does, whose layout they are in."""

import numpy as np
import pytest
import torch
from conftest import random
from sparse_attn import errors


def bshd(*shape, dtype=np.float32):
    return random(shape, dtype)


def message(error, call, *tensors, **options):
    with pytest.raises(error) as raised:
        call(*tensors, layout="bshd", **options)
    return str(raised.value)


def test_sizes(package):
    f = package["longformer"]
    q, k = bshd(2, 10, 4, 64), bshd(2, 12, 2, 64)
    text = message(errors.WrongShapeError, f, q, k, bshd(2, 11, 2, 64))
    assert (
        "argument 2 (value) of 'longformer' has size 11 in dimension 1, expected 12, "
        "which is Sk, from dimension 1 of argument 1 (key)" in text
    )
    text = message(errors.WrongShapeError, f, q, k, bshd(2, 12, 4, 64))
    assert (
        "argument 2 (value) of 'longformer' has size 4 in dimension 2, expected 2, "
        "which is Hkv, from dimension 2 of argument 1 (key)" in text
    )
    text = message(errors.WrongShapeError, f, q, k[0], k)
    assert "has rank 3, expected the shape [B, Sk, Hkv, 64]" in text
    text = message(errors.InvalidArgumentError, f, q, k)
    assert "longformer(f32['B', 'Sq', 'Hq', 64], f32['B', 'Sk', 'Hkv', 64]" in text
    assert "-> (f32['B', 'Sq', 'Hq', 64], f32['B', 'Hq', 'Sq'])" in text


def test_sizes_of_results(package):
    f = package["longformer"]
    call = [bshd(2, 10, 4, 64)] * 3
    text = message(
        errors.WrongShapeError, f, *call, out=(np.zeros((2, 4, 10, 64), "f"), None)
    )
    assert (
        "result 0 (output) of 'longformer' has size 4 in dimension 1, expected 10, "
        "which is Sq, from dimension 1 of argument 0 (query)" in text
    )
    # LSE is [B, H, S] in both.
    text = message(
        errors.WrongShapeError, f, *call, out=(None, np.zeros((2, 10, 4), "f"))
    )
    assert (
        "result 1 (lse) of 'longformer' has size 10 in dimension 1, expected 4, which "
        "is Hq, from dimension 2 of argument 0 (query)" in text
    )


def test_a_forgotten_layout(package):
    """Where the other one fits, the error says so; where neither does, it doesn't."""
    f = package["longformer"]
    q, k = bshd(2, 10, 4, 64), bshd(2, 12, 2, 64)
    for call, error in [
        (f, errors.WrongShapeError),
        (f.workspace_bytes, errors.WrongShapeError),
        (f.result_shapes, errors.WrongShapeError),
        (package, errors.NotFoundError),
    ]:
        with pytest.raises(error) as raised:
            call(q, k, k)
        assert str(raised.value).endswith("With layout='bshd' these shapes fit")
        assert raised.value.status == error.status
        with pytest.raises(error) as raised:
            call(q, k, k[:, 1:])
        assert "With layout" not in str(raised.value)
    np.testing.assert_array_equal(f(q, k, k, layout="bshd")[1].shape, (2, 4, 10))
    rows = [x.swapaxes(1, 2) for x in (q, k, k)]
    assert "With layout='bhsd' these shapes fit" in message(errors.WrongShapeError, f, *rows)


def test_strides(package):
    f = package["longformer"]
    q = bshd(2, 10, 4, 64)
    text = message(errors.WrongStridesError, f, q, q[:, ::-1], q)
    assert (
        "argument 1 (key) of 'longformer' runs backwards: its stride in dimension 1 is "
        "-256, and kernels take none below 0; copy it into a contiguous tensor" in text
    )
    assert "shape is [2, 10, 4, 64], its strides are [2560, -256, 64, 1]" in text
    text = message(errors.WrongStridesError, f, q, q, q, out=(q[..., ::-1], None))
    assert "result 0 (output) of 'longformer' runs backwards" in text
    assert "kernels take none below 0; give a contiguous tensor; its shape" in text
    q = torch.from_numpy(q)
    place = torch.zeros(2, 10, 1, 64).expand(2, 10, 4, 64)
    text = message(errors.WrongStridesError, f, q, q, q, out=(place, None))
    assert "the stride 0 of dimension 2 is not above 0" in text


def test_search_of_a_package(package):
    text = message(errors.NotFoundError, package, *[bshd(1, 60, 2, 64)] * 2, bshd(1, 61, 2, 64))
    assert "of 'longformer' has size 61 in dimension 1, expected 60" in text
    assert "of 'causal_64' has size 60 in dimension 1, expected 64" in text
    assert "dimension 2" not in text


def test_fake_tensors(package):
    import sparse_attn.torch

    f = sparse_attn.torch.register(package["longformer"], layout="bshd")
    q = torch.zeros(2, 10, 4, 64, device="meta")
    with pytest.raises(errors.WrongShapeError) as raised:
        f(q, q, q[0])
    assert "has rank 3, expected the shape ['B', 'Sk', 'Hkv', 64]" in str(raised.value)
