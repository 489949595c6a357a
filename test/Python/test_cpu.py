"""Package to result on the CPU, with NumPy, PyTorch and DLPack."""

import numpy as np
import pytest
import sparse_attn
import torch
from conftest import causal, longformer, random, reference


def make_longformer(b=2, hq=4, hkv=2, s=150, seed=0):
    shapes = [(b, hq, s, 64), (b, hkv, s, 64), (b, hkv, s, 64)]
    return [random(shape, seed=seed + i) for i, shape in enumerate(shapes)]


def check_longformer(tensors, o, lse):
    expected_o, expected_lse = reference(*tensors, longformer)
    np.testing.assert_allclose(o, expected_o, atol=2e-6)
    np.testing.assert_allclose(lse, expected_lse, atol=1e-5)


def test_subclasses_of_numpys_arrays_give_numpys(package):
    class Named(np.ndarray):
        pass

    tensors = [random((1, 2, 97, 64), seed=i).view(Named) for i in range(3)]
    o, lse = package["longformer"](*tensors)
    assert type(o) is np.ndarray and type(lse) is np.ndarray
    check_longformer(tensors, o, lse)


def test_numpy_in_numpy_out(package):
    tensors = make_longformer()
    o, lse = package(*tensors)
    assert type(o) is np.ndarray and o.dtype == np.float32
    assert o.shape == (2, 4, 150, 64) and lse.shape == (2, 4, 150)
    check_longformer(tensors, o, lse)


def test_torch_in_torch_out(package):
    tensors = make_longformer(seed=3)
    o, lse = package["longformer"](*map(torch.from_numpy, tensors))
    assert isinstance(o, torch.Tensor) and isinstance(lse, torch.Tensor)
    check_longformer(tensors, o.numpy(), lse.numpy())


def test_bf16(package):
    tensors = [torch.from_numpy(random((1, 2, 97, 32), seed=i)) for i in range(3)]
    rounded = [tensor.bfloat16() for tensor in tensors]
    o = package(*rounded)
    assert o.dtype == torch.bfloat16
    expected, _ = reference(*(t.float().numpy() for t in rounded), causal)
    # Rounded once: half a unit in the last of 8 bits.
    np.testing.assert_allclose(o.float().numpy(), expected, rtol=2**-8, atol=1e-6)


def test_result_in_an_argument_is_that_argument(package):
    tensors = [random((2, 4, 33, 16), np.float16, seed=i) for i in range(3)]
    init = np.full_like(tensors[0], np.nan)
    o = package(*tensors, init)
    assert o is init
    expected, _ = reference(*tensors, causal)
    np.testing.assert_allclose(o, expected, rtol=2**-11, atol=1e-5)


def test_the_function_with_fixed_sizes_is_preferred(package):
    tensors = [random((1, 2, 64, 64), seed=i) for i in range(3)]
    assert package.find(*tensors).name == "causal_64"
    np.testing.assert_allclose(
        package(*tensors), reference(*tensors, causal)[0], atol=2e-6
    )


def test_queries_fewer_than_keys(package):
    q = random((1, 4, 3, 64))
    k, v = random((1, 4, 200, 64), seed=1), random((1, 4, 200, 64), seed=2)
    o, lse = package(q, k, v)
    check_longformer((q, k, v), o, lse)


def test_empty(package):
    q, k, v = (np.zeros((0, 2, 5, 64), np.float32) for _ in range(3))
    o, lse = package(q, k, v)
    assert o.shape == (0, 2, 5, 64) and lse.shape == (0, 2, 5)


def test_out(package):
    tensors = make_longformer()
    expected, lse = package(*tensors)
    o = np.full_like(expected, np.nan)
    got = package(*tensors, out=(o, None))
    assert got[0] is o and got[1] is not lse
    np.testing.assert_array_equal(o, expected)
    np.testing.assert_array_equal(got[1], lse)


def as_bshd(x):
    """The same values as [B, S, H, D] in memory."""
    return np.ascontiguousarray(x.transpose(0, 2, 1, 3))


@pytest.mark.parametrize("convert", [lambda x: x, torch.from_numpy])
def test_bshd(package, convert):
    tensors = make_longformer()
    o, lse = package(*(convert(as_bshd(x)) for x in tensors), layout="bshd")
    assert tuple(o.shape) == (2, 150, 4, 64) and tuple(lse.shape) == (2, 4, 150)
    assert np.asarray(o).flags.c_contiguous
    check_longformer(tensors, np.asarray(o).transpose(0, 2, 1, 3), np.asarray(lse))


def test_strides_are_taken_as_they_are(package):
    tensors = make_longformer()
    expected = package(*tensors)
    # Of a projection to all heads at once, every second row, and one head for all.
    fused = np.zeros((2, 150, 8, 64), np.float32)
    fused[:, :, :4] = tensors[0].transpose(0, 2, 1, 3)
    wide = np.zeros((2, 2, 300, 64), np.float32)
    wide[:, :, ::2] = tensors[1]
    one = np.broadcast_to(tensors[2][:, :1], tensors[2].shape)
    q, k = fused[:, :, :4].transpose(0, 2, 1, 3), wide[:, :, ::2]
    place = np.full((2, 150, 4, 64), np.nan, np.float32)
    for got, want in zip(package(q, k, tensors[2]), expected):
        np.testing.assert_array_equal(got, want)
    got, _ = package(q, k, one, out=(place.transpose(0, 2, 1, 3), None))
    np.testing.assert_array_equal(got, package(*tensors[:2], one.copy())[0])
    np.testing.assert_array_equal(place.transpose(0, 2, 1, 3), got)


def test_result_in_a_strided_argument(package):
    q, k, v = (random((2, 4, 33, 16), np.float16, seed=i) for i in range(3))
    init = np.zeros((2, 33, 4, 16), np.float16)
    expected = package(q, k, v, np.zeros_like(q))
    got = package(as_bshd(q), as_bshd(k), as_bshd(v), init, layout="bshd")
    assert got is init
    np.testing.assert_array_equal(init.transpose(0, 2, 1, 3), expected)


class DlpackOnly:
    """Speaks nothing but DLPack."""

    def __init__(self, array):
        self.array = array

    def __dlpack__(self, **options):
        return self.array.__dlpack__(**options)

    def __dlpack_device__(self):
        return self.array.__dlpack_device__()


class OldDlpack(DlpackOnly):
    """Of before version 1: it knows of no max_version."""

    def __dlpack__(self, *, stream=None):
        return self.array.__dlpack__()


@pytest.mark.parametrize("kind", [DlpackOnly, OldDlpack])
def test_dlpack_gives_arrays_of_our_own(package, kind):
    tensors = make_longformer()
    o, lse = package(*map(kind, tensors))
    assert type(o) is sparse_attn.Array and o.device == "cpu" and o.type == "f32"
    assert o.shape == (2, 4, 150, 64) and o.nbytes == 4 * 2 * 4 * 150 * 64
    check_longformer(tensors, np.asarray(o), np.from_dlpack(lse))
    assert np.shares_memory(np.asarray(o), np.from_dlpack(o))
    # Another call takes them in turn.
    again = package(*map(kind, tensors))[0]
    package(o, kind(tensors[1]), kind(tensors[2]), out=(again, lse))


def test_own_array_of_bf16_goes_to_torch(package):
    tensors = [torch.randn(1, 2, 40, 32).bfloat16() for _ in range(3)]
    o = package(*map(DlpackOnly, tensors))
    assert o.type == "bf16"
    assert torch.equal(torch.from_dlpack(o), package(*tensors))
    with pytest.raises(AttributeError, match="no bf16; take the array by DLPack"):
        o.__array_interface__


def test_own_arrays_live_as_long_as_their_consumers(package):
    tensors = make_longformer()
    expected, _ = package(*tensors)
    kept = torch.from_dlpack(package(*map(DlpackOnly, tensors))[0])
    # Of many capsules that nobody takes, none frees or keeps the memory.
    array = package(*map(DlpackOnly, tensors))[0]
    for _ in range(1000):
        array.__dlpack__()
    del array
    for _ in range(20):
        package(*map(DlpackOnly, make_longformer(seed=9)))
    np.testing.assert_array_equal(kept.numpy(), expected)
    from sparse_attn import _dlpack

    assert len(_dlpack._exported) == 1
    del kept
    assert not _dlpack._exported


def test_read_only_arguments_are_read(package):
    tensors = make_longformer()
    for tensor in tensors:
        tensor.setflags(write=False)
    check_longformer(tensors, *package(*tensors))


def test_descriptions(package):
    function = package["longformer"]
    assert [spec.roles for spec in function.arguments] == [
        ("query",),
        ("key",),
        ("value",),
    ]
    assert function.arguments[1].shape == ("B", "Hkv", "Sk", 64)
    assert function.arguments[1].type == "f32"
    assert function.results[1].shape == ("B", "Hq", "Sq")
    assert function.results[1].roles == ("lse",)
    assert package["in_place"].results[0].in_argument == 3
    assert function.chips[0] == "sm_80" and function.chips[1].startswith("x86-64-v")
    assert sorted(package) == ["causal_64", "causal_bf16", "in_place", "longformer"]
    assert len(package) == 4 and "longformer" in package
    assert "longformer(f32['B', 'Hq', 'Sq', 64]" in repr(function)
    assert "causal_64" in repr(package)
    tensors = make_longformer()
    assert function.result_shapes(*tensors) == [(2, 4, 150, 64), (2, 4, 150)]
    assert function.workspace_bytes(*tensors) == 0
    bshd = [as_bshd(x) for x in tensors]
    shapes = function.result_shapes(*bshd, layout="bshd")
    assert shapes == [(2, 150, 4, 64), (2, 4, 150)]
    assert package.find(*bshd, layout="bshd") is function
    function.prepare("cpu")
