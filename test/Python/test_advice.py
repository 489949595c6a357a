"""What an error advises helps: the wrong call raises, the advised one computes."""

import warnings

import numpy as np
import pytest
import sparse_attn
import torch
from conftest import INPUTS, compile_package, random
from sparse_attn import errors


def tensors(dtype=np.float32):
    return [random((1, 2, 10, 64), dtype, seed=i) for i in range(3)]


def advises(error, *parts):
    class Raises:
        def __enter__(self):
            return self

        def __exit__(self, kind, value, traceback):
            assert kind is not None and issubclass(kind, error), value
            for part in parts:
                assert part in str(value), str(value)
            return True

    return Raises()


@pytest.fixture
def attend(package):
    return package["longformer"]


@pytest.fixture
def expected(attend):
    return attend(*tensors())[0]


def compile_halves(path):
    """The function with an LSE, for f16."""
    source = (INPUTS / "attention.mlir").read_text().split("!h = ")[0]
    other = path / "f16.mlir"
    other.write_text(source.replace("x64xf32", "x64xf16"))
    return compile_package(path / "f16", "native", file=other)


ONLY = "attention is compiled for f16, bf16 and f32 only: convert it to "


@pytest.mark.parametrize("convert", [lambda x: x, torch.from_numpy])
def test_elements_of_no_attention(attend, expected, convert):
    q, k, v = map(convert, tensors())
    wide = convert(tensors(np.float64)[1])
    with advises(errors.WrongTypeError, "has elements of f64, expected f32", ONLY + "f32"):
        attend(q, wide, v)
    for kind in (np.int32, np.int64, np.int8):
        with advises(errors.WrongTypeError, ONLY + "f32"):
            attend(q, convert(np.ones((1, 2, 10, 64), kind)), v)
    narrow = wide.float() if convert is torch.from_numpy else wide.astype("float32")
    np.testing.assert_allclose(attend(q, narrow, v)[0], expected, atol=1e-5)


def test_elements_of_no_function(attend):
    q, k, v = tensors()
    for wrong in (k.astype(np.complex64), k.astype(">f4"), k > 0):
        with advises(errors.WrongTypeError, ONLY + "the function's type"):
            attend(q, wrong, v)
        with warnings.catch_warnings(action="ignore"):
            attend(q, wrong.astype(np.float32), v)


def test_elements_of_another_attention(attend, tmp_path):
    halves = tensors(np.float16)
    text = "convert it to f32, or compile the function for f16"
    with advises(errors.WrongTypeError, text):
        attend(*halves)
    attend(*(x.astype(np.float32) for x in halves))
    with sparse_attn.load(compile_halves(tmp_path)) as package:
        assert package(*halves)[0].dtype == np.float16


def test_results_of_another_type(attend, expected):
    """A result that is converted before the call would be written in vain."""
    place = np.zeros((1, 2, 10, 64), np.float16)
    text = "expected f32; give a tensor of f32, or compile the function for f16"
    with advises(errors.WrongTypeError, "(output)", text):
        attend(*tensors(), out=(place, None))
    text = "compiled for f16, bf16 and f32 only: give a tensor of f32"
    with advises(errors.WrongTypeError, "(output)", text):
        attend(*tensors(), out=(place.astype(np.int32), None))
    with advises(errors.WrongTypeError, "(output)", "only: give a tensor of the function's type"):
        attend(*tensors(), out=(place.astype(np.complex64), None))
    attend(*tensors(), out=(place.astype(np.float32), None))


def test_lse_is_f32(package, attend, expected):
    lse = np.zeros((1, 2, 10), np.float64)
    with advises(errors.WrongTypeError, "(lse)", "expected f32; give a tensor of f32"):
        attend(*tensors(), out=(None, lse))
    attend(*tensors(), out=(None, lse.astype(np.float32)))


def test_strides_and_addresses(attend, expected):
    q, k, v = tensors()
    with advises(errors.WrongStridesError, "copy it into a contiguous tensor"):
        attend(q, k[..., ::-1], v)
    attend(q, np.ascontiguousarray(k[..., ::-1]), v)
    with advises(errors.WrongStridesError, "copy it into a contiguous array"):
        packed = np.zeros((1, 2, 10, 64), [("x", "<f4"), ("y", "i1")])["x"]
        attend(q, packed, v)
    attend(q, packed.copy(), v)
    raw = np.zeros(q.nbytes + 1, np.int8)
    odd = raw[1:].view(np.float32).reshape(q.shape)
    with advises(errors.MisalignedError, "copy it to an address that is a multiple"):
        attend(odd, k, v)
    attend(odd.copy(), k, v)
    with advises(errors.WrongStridesError, "use to_dense() or resolve_neg()"):
        attend(*(torch.from_numpy(x).to_sparse() for x in tensors()))
    dense = [torch.from_numpy(x).to_sparse().to_dense() for x in tensors()]
    np.testing.assert_array_equal(attend(*dense)[0], expected)
    negative = torch.view_as_complex(torch.randn(1, 2, 10, 64, 2)).conj().imag
    with advises(errors.WrongStridesError, "use to_dense() or resolve_neg()"):
        attend(negative, dense[1], dense[2])
    attend(negative.resolve_neg().contiguous(), dense[1], dense[2])


def test_results(attend, expected):
    call = tensors()
    with advises(errors.InvalidArgumentError, "give memory of its own"):
        attend(*call, out=(call[0], None))
    attend(*call, out=(np.empty_like(call[0]), None))
    text = "give one for each, and None for those that are to be made"
    with advises(errors.InvalidArgumentError, text):
        attend(*call, out=np.empty_like(call[0]))
    place = np.empty_like(call[0])
    assert attend(*call, out=(place, None))[0] is place
    with advises(errors.InvalidArgumentError, "which has none; leave it out"):
        attend(*call, stream=8)


def test_arrays_of_other_interfaces(attend, expected):
    class Fails:
        def __dlpack__(self, **options):
            raise BufferError("it is not ready")

        def __dlpack_device__(self):
            return (1, 0)

        def __array__(self, dtype=None, copy=None):
            return tensors()[1]

    q, k, v = tensors()
    text = "cannot be taken by DLPack: it is not ready; give a NumPy array or a tensor"
    with advises(errors.WrongTypeError, text):
        attend(q, Fails(), v)
    np.testing.assert_array_equal(attend(q, np.asarray(Fails()), v)[0], expected)
    with advises(errors.WrongTypeError, "is a list, expected a tensor with"):
        attend(q, k.tolist(), v)
    attend(q, np.array(k.tolist(), np.float32), v)


def test_inside_of_torch_compile(package):
    """Where tensors have no memory, the operator that is advised is compiled."""
    import sparse_attn.torch

    with advises(errors.WrongTypeError, "an operator there that sparse_attn.torch"):
        torch.func.vmap(package["longformer"])(*(torch.zeros(2, 1, 2, 10, 64),) * 3)
    operator = sparse_attn.torch.register(package["longformer"])
    torch.func.vmap(operator)(*(torch.zeros(2, 1, 2, 10, 64),) * 3)
    with advises(errors.WrongTypeError, "torch.float64, expected f32; convert it with"):
        operator(*(torch.zeros(1, 2, 10, 64, device="meta", dtype=torch.float64),) * 3)
    wide = torch.zeros(1, 2, 10, 64, device="meta", dtype=torch.float64)
    operator(*(wide.to(torch.float32),) * 3)


def test_no_code_for_this_processor(gpu_only, tmp_path):
    with sparse_attn.load(gpu_only) as package:
        with pytest.raises(errors.WrongChipError) as raised:
            package(*tensors())
    target = str(raised.value).split("compile it with --target=")[1].split(" ")[0]
    compile_package(tmp_path / "again", "sm_80", target)
    with sparse_attn.load(tmp_path / "again") as package:
        package(*tensors())


def test_closed_packages(directory):
    package = sparse_attn.load(directory)
    package.close()
    with advises(errors.InvalidArgumentError, "the package is closed; load it again"):
        package(*tensors())
    with sparse_attn.load(directory) as package:
        package(*tensors())


def test_halves_at_any_element(tmp_path):
    """No alignment is asked for that host code does not need, as where an f32 LSE
    goes with tensors of f16."""
    call = tensors(np.float16)
    with sparse_attn.load(compile_halves(tmp_path)) as package:
        expected = package(*call)
        for first in range(1, 8):
            moved = []
            for x in [*call, call[0]]:
                memory = np.zeros(x.size + first, np.float16)
                moved.append(memory[first:].reshape(x.shape))
                moved[-1][...] = x
            o, lse = package(*moved[:3], out=(moved[3], None))
            np.testing.assert_array_equal(o, expected[0])
            np.testing.assert_array_equal(lse, expected[1])
