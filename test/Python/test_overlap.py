"""What is written may share no memory with anything else of a call."""

import numpy as np
import pytest
import sparse_attn
import torch
from conftest import random
from sparse_attn import errors


def tensors(b=2, h=4, s=32):
    return [random((b, h, s, 64), seed=i) for i in range(3)]


def check_refused(call, written, other):
    with pytest.raises(errors.InvalidArgumentError) as raised:
        call()
    text = f"{written} is written, and it overlaps {other}; give memory of its own"
    assert text in str(raised.value)


F = " of 'longformer'"


@pytest.mark.parametrize("convert", [lambda x: x, torch.from_numpy])
@pytest.mark.parametrize("i, name", enumerate(["query", "key", "value"]))
def test_result_in_an_argument(package, convert, i, name):
    call = [convert(x) for x in tensors()]
    before = [np.asarray(x).copy() for x in call]
    for out in (call[i], call[i][:]):
        check_refused(
            lambda: package["longformer"](*call, out=(out, None)),
            "result 0 (output)" + F,
            f"argument {i} ({name})" + F,
        )
    for was, now in zip(before, call):
        np.testing.assert_array_equal(was, now)


def test_partly(package):
    memory = random((2 * 2 * 4 * 32 * 64,))
    size = memory.size // 2
    q = memory[:size].reshape(2, 4, 32, 64)
    _, k, v = tensors()
    for start in (1, 64, size - 1):
        o = memory[start : start + size].reshape(q.shape)
        check_refused(
            lambda: package["longformer"](q, k, v, out=(o, None)),
            "result 0 (output)" + F,
            "argument 0 (query)" + F,
        )
    # One beside the other.
    o = memory[size:].reshape(q.shape)
    got = package["longformer"](q, k, v, out=(o, None))[0]
    np.testing.assert_array_equal(got, package["longformer"](q.copy(), k, v)[0])


def test_two_results(package):
    q, k, v = tensors()
    o = np.zeros_like(q)
    lse = o.reshape(-1)[-2 * 4 * 32 :].reshape(2, 4, 32)
    check_refused(
        lambda: package["longformer"](q, k, v, out=(o, lse)),
        "result 1 (lse)" + F,
        "result 0 (output)" + F,
    )


def test_argument_that_is_written(package):
    q, k, v, init = (random((2, 4, 33, 16), np.float16, seed=i) for i in range(4))
    for call, i, role in (((init, k, v), 0, "query"), ((q, k, init), 2, "value")):
        check_refused(
            lambda: package["in_place"](*call, init),
            "argument 3 (output) of 'in_place'",
            f"argument {i} ({role}) of 'in_place'",
        )
    # Arguments may be one where none is written.
    package["in_place"](q, q, q, init)


def test_views_of_one_buffer_that_share_nothing(package):
    """Queries, keys, values and results interleaved: their ranges overlap, their
    elements do not."""
    b, s, h, d = 2, 50, 4, 64
    f = package["longformer"]
    fused = random((b, s, 4, h, d))
    q, k, v, o = (fused[:, :, i] for i in range(4))
    expected = f(q.copy(), k.copy(), v.copy(), layout="bshd")[0]
    assert f(q, k, v, out=(o, None), layout="bshd")[0] is o
    np.testing.assert_array_equal(o, expected)
    # Heads of each beside one another, in either order of dimensions.
    for order in ((0, 2, 1, 3), (0, 1, 2, 3)):
        shape = np.array([b, 4 * h, s, d])[list(order)]
        fused = torch.from_numpy(random(tuple(shape))).permute(order)
        q, k, v, o = (fused[:, i * h : (i + 1) * h] for i in range(4))
        expected = f(q.clone(), k.clone(), v.clone())[0]
        f(q, k, v, out=(o, None))
        assert torch.equal(o, expected)
    # Every second head, row or batch.
    fused = random((2 * b, 2 * h, 2 * s, d))
    for halves in (np.s_[::2], np.s_[:, ::2], np.s_[:, :, ::2]):
        one = fused[halves]
        index = tuple(slice(1, None, 2) if i == slice(None, None, 2) else i
                      for i in (halves if isinstance(halves, tuple) else (halves,)))
        other = fused[index]
        f(one, one, one, out=(other, None))
        check_refused(
            lambda: f(one, fused[: one.shape[0], : one.shape[1], : one.shape[2]],
                      one, out=(other, None)),
            "result 0 (output)" + F,
            "argument 1 (key)" + F,
        )


def test_own_arrays(package):
    class Dlpack:
        def __init__(self, array):
            self.__dlpack__ = array.__dlpack__
            self.__dlpack_device__ = array.__dlpack_device__

    q, k, v = (Dlpack(x) for x in tensors())
    o, lse = package["longformer"](q, k, v)
    assert isinstance(o, sparse_attn.Array)
    check_refused(
        lambda: package["longformer"](o, k, v, out=(o, lse)),
        "result 0 (output)" + F,
        "argument 0 (query)" + F,
    )
