"""Each way to call a package wrongly is an exception that says what to do."""

import ctypes
import ctypes.util
import json
import os
import subprocess
import sys

import numpy as np
import pytest
import sparse_attn
import torch
from conftest import random
from sparse_attn import _library, errors
from torch._subclasses.fake_tensor import FakeTensorMode


def tensors(dtype=np.float32, shape=(1, 2, 10, 64)):
    return [random(shape, dtype, seed=i) for i in range(3)]


def expect(error, *parts, base=None):
    """The call raises this, with all these parts in its message."""

    class Expect:
        def __enter__(self):
            return self

        def __exit__(self, kind, value, traceback):
            assert kind is error, f"{kind}: {value}"
            assert isinstance(value, sparse_attn.SparseAttnError)
            if base:
                assert isinstance(value, base)
            for part in parts:
                assert part in str(value), str(value)
            return True

    return Expect()


# Packages


def test_no_package(tmp_path):
    with expect(errors.PackageFileError, "is not a directory", base=OSError):
        sparse_attn.load(tmp_path / "missing")
    with expect(errors.PackageFileError, "manifest.json"):
        sparse_attn.load(tmp_path)


def test_damaged_files(copied):
    victim = next(copied.glob("longformer*.so"))
    contents = bytearray(victim.read_bytes())
    contents[len(contents) // 2] ^= 1
    victim.write_bytes(contents)
    with expect(errors.CorruptPackageError, victim.name, "SHA-256", base=ValueError):
        sparse_attn.load(copied)
    victim.unlink()
    with expect(errors.PackageFileError, victim.name):
        sparse_attn.load(copied)


def test_damaged_manifest(copied):
    manifest = copied / "manifest.json"
    content = json.loads(manifest.read_text())
    content["schema_version"] = 999
    manifest.write_text(json.dumps(content))
    with expect(errors.UnknownSchemaError, "schema_version 999", base=ValueError):
        sparse_attn.load(copied)
    manifest.write_text("{")
    with expect(errors.CorruptPackageError, "is not JSON"):
        sparse_attn.load(copied)


def test_unknown_functions(package):
    with expect(errors.NotFoundError, "no function 'x'; it has 'longformer'", base=KeyError):
        package["x"]
    assert "x" not in package and package.get("x") is None
    with expect(errors.NotFoundError, "takes these arguments", "'longformer'"):
        package(*tensors(np.float64))


def test_a_path_with_nul(directory):
    with expect(errors.InvalidArgumentError, "has a NUL character"):
        sparse_attn.load(f"{directory}\0x")


def test_closed(directory):
    package = sparse_attn.load(directory)
    function = package["longformer"]
    package.close()
    package.close()
    with expect(errors.InvalidArgumentError, "the package is closed; load it again"):
        package(*tensors())
    with expect(errors.InvalidArgumentError, "the package is closed"):
        function(*tensors())
    with expect(errors.InvalidArgumentError, "the package is closed"):
        with package:
            pass


# Tensors


def test_number_of_tensors(package):
    with expect(
        errors.InvalidArgumentError, "'longformer' takes 3 tensors, 2 were given"
    ):
        package["longformer"](*tensors()[:2])
    with expect(errors.InvalidArgumentError, "has 2 results, `out` has 1"):
        package["longformer"](*tensors(), out=np.zeros((1, 2, 10, 64), np.float32))


def test_no_tensor(package):
    with expect(
        errors.WrongTypeError,
        "argument 1 (key) of 'longformer' is a list, expected a tensor",
        base=TypeError,
    ):
        package["longformer"](tensors()[0], [1.0], tensors()[0])


def test_element_types(package):
    q, k, v = tensors()
    with expect(
        errors.WrongTypeError, "argument 1 (key) of 'longformer'", "f64, expected f32"
    ):
        package["longformer"](q, k.astype(np.float64), v)
    for bad in (k.astype(np.complex64), k.astype(">f4"), k > 0):
        with expect(
            errors.WrongTypeError,
            "has elements of",
            "compiled for f16, bf16 and f32 only: convert it",
        ):
            package["longformer"](q, bad, v)
    with expect(errors.WrongTypeError, "has elements of torch.complex64"):
        package["longformer"](torch.zeros(1, 2, 10, 64, dtype=torch.complex64), k, v)
    with expect(errors.WrongTypeError, "is a masked array"):
        package["longformer"](q, Interface(k, mask=k), v)
    with expect(errors.WrongTypeError, "by the buffer protocol only"):
        package["longformer"](q, Interface(k, data=None), v)


class Interface:
    """An array whose interface has other entries."""

    def __init__(self, array, **entries):
        self.__array_interface__ = {**array.__array_interface__, **entries}


def test_dlpack_types(package):
    class Dlpack:
        def __init__(self, array, device=None, capsule=None):
            self.array, self.device, self.capsule = array, device, capsule

        def __dlpack__(self, **options):
            return self.capsule or self.array.__dlpack__(**options)

        def __dlpack_device__(self):
            return self.device or self.array.__dlpack_device__()

    q, k, v = tensors()
    with expect(errors.WrongTypeError, "has elements of complex64"):
        package["longformer"](q, Dlpack(k.astype(np.complex64)), v)
    with expect(errors.WrongTypeError, "has elements of bool8"):
        package["longformer"](q, Dlpack(k > 0), v)
    with expect(errors.WrongDeviceError, "is on a device of ROCm", base=ValueError):
        package["longformer"](q, Dlpack(k, (10, 0)), v)
    with expect(errors.WrongDeviceError, "is on a device of DLPack's kind 99"):
        package["longformer"](q, Dlpack(k, (99, 0)), v)
    with expect(errors.WrongTypeError, "gave no unused capsule"):
        package["longformer"](q, Dlpack(k, None, object()), v)


def test_shapes(package):
    q, k, v = tensors()
    with expect(
        errors.WrongShapeError, "argument 1 (key)", "rank 3, expected", base=ValueError
    ):
        package["longformer"](q, k[0], v)
    with expect(errors.WrongShapeError, "size 9 in dimension 2, expected 10", "Sk"):
        package["longformer"](q, k, v[:, :, :9].copy())
    with expect(errors.WrongShapeError, "the number of query heads"):
        package["longformer"](*(x[:, :h].copy() for x, h in zip((q, k, v), (1, 2, 2))))
    with expect(errors.WrongShapeError, "result 0 (output)", "size 11"):
        out = np.zeros((1, 2, 11, 64), np.float32)
        package["longformer"](q, k, v, out=(out, None))


def test_strides(package):
    q, k, v = tensors()
    with expect(
        errors.WrongStridesError, "argument 0 (query) of 'longformer'", base=ValueError
    ):
        package["longformer"](q[..., ::-1], k, v)
    with expect(errors.WrongStridesError, "argument 2 (value)"):
        package["longformer"](q, k, np.broadcast_to(v[..., :1], v.shape))
    # Of bytes, which are no elements.
    packed = np.zeros(10, [("x", "<f4", 64), ("y", "i1")])["x"]
    with expect(errors.WrongStridesError, "no whole elements of 4 bytes"):
        package["longformer"](packed.reshape(10, 64)[None, None], k, v)
    with expect(errors.WrongStridesError, "is not a strided tensor in memory"):
        package["longformer"](torch.zeros(1, 2, 10, 64).to_sparse(), k, v)


def test_alignment(package):
    q, k, v = tensors()
    raw = np.zeros(q.nbytes + 4, np.int8)
    odd = raw[1 : 1 + q.nbytes].view(np.float32).reshape(q.shape)
    with expect(errors.MisalignedError, "bytes past a multiple of 4", base=ValueError):
        package["longformer"](odd, k, v)


def test_outputs(package):
    q, k, v = tensors()
    o = np.zeros_like(q)
    o.setflags(write=False)
    with expect(errors.InvalidArgumentError, "result 0 (output)", "is read-only"):
        package["longformer"](q, k, v, out=(o, None))
    halves = [random((1, 4, 8, 16), np.float16, seed=i) for i in range(4)]
    with expect(errors.InvalidArgumentError, "is written to argument 3; leave it out"):
        package["in_place"](*halves, out=halves[0].copy())
    assert package["in_place"](*halves, out=halves[3]) is halves[3]


def test_options(package):
    with expect(errors.InvalidArgumentError, "unknown layout 'sbhd'", base=ValueError):
        package(*tensors(), layout="sbhd")
    with expect(errors.InvalidArgumentError, "a stream is given for tensors on the CPU"):
        package(*tensors(), stream=8)
    with expect(
        errors.InvalidArgumentError,
        "the workspace of 'longformer' has 4 bytes, and functions need none on the CPU",
    ):
        package["longformer"](*tensors(), workspace=np.zeros(4, np.int8))
    package["longformer"](*tensors(), workspace=np.zeros(0, np.int8))


class RepeatedRow:
    """An array of no framework: one row, at every place of this shape."""

    def __init__(self, shape):
        self.row = np.zeros(shape[-1], np.float32)
        strides = (0,) * (len(shape) - 1) + (4,)
        self.__array_interface__ = {**self.row.__array_interface__, "shape": shape}
        self.__array_interface__["strides"] = strides


def test_results_that_memory_has_no_room_for(package):
    shape = (2**20, 4, 2**21, 64)
    row = np.zeros(64, np.float32)
    views = [
        np.lib.stride_tricks.as_strided(row, shape, (0, 0, 0, 4)),
        torch.from_numpy(row).expand(shape),
        RepeatedRow(shape),
    ]
    for one in views:
        with expect(
            errors.OutOfMemoryError,
            "the CPU has no 2251799813685248 bytes for result 0 (output) of "
            f"'longformer', of the shape {shape}; free some, or give smaller tensors",
            base=MemoryError,
        ):
            package["longformer"](one, one, one)
    one = RepeatedRow((2**28, 4, 2**27, 64))
    with expect(
        errors.TooLargeError,
        "result 0 (output) of 'longformer' would have the shape (268435456, 4, "
        "134217728, 64), whose 36893488147419103232 bytes do not fit 63 bits",
        base=ValueError,
    ):
        package["longformer"](one, one, one)


@pytest.mark.filterwarnings("error")
def test_fake_tensors(package):
    with FakeTensorMode():
        fakes = [torch.empty(1, 2, 10, 64) for _ in range(3)]
        with expect(
            errors.WrongTypeError,
            "argument 0 (query) of 'longformer' has no memory of its own",
            "call an operator there that sparse_attn.torch.register has made",
        ):
            package["longformer"](*fakes)
    ordinary = torch.zeros(1, 2, 10, 64)
    with expect(errors.WrongTypeError, "argument 1 (key) of 'longformer' has no memory"):
        package["longformer"](ordinary, fakes[1], ordinary)
    package["longformer"](*[torch.nn.Parameter(ordinary, requires_grad=False)] * 3)


# Devices and code


def test_devices(package):
    q, k, v = map(torch.from_numpy, tensors())
    with expect(errors.WrongDeviceError, "is on meta"):
        package(q, k.to("meta"), v)


def test_no_host_code(gpu_only):
    with sparse_attn.load(gpu_only) as package:
        with expect(
            errors.WrongChipError, "has code for sm_80", "--target=x86-64-v",
            base=RuntimeError,
        ):
            package(*tensors())


class OnGpu:
    """Claims to be on a GPU."""

    __cuda_array_interface__ = {"data": (4096, False), "typestr": "<f4"}
    __cuda_array_interface__.update({"shape": (1, 2, 10, 64), "version": 3})

    def __dlpack_device__(self):
        return (2, 0)


def test_no_driver(package, monkeypatch):
    monkeypatch.setenv("SPARSE_ATTN_LIBCUDA", "libnowhere.so")
    monkeypatch.setattr(_library, "_driver", None)
    with expect(
        errors.NoDriverError, "no CUDA driver: libnowhere.so", base=RuntimeError
    ):
        package["longformer"](OnGpu(), OnGpu(), OnGpu())
    assert isinstance(errors.NoDriverError(""), errors.DriverError)


# The runtime library


def run_python(code, **environment):
    return subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
    ).stderr


def test_missing_library():
    message = run_python(
        "import sparse_attn; sparse_attn.load('.')", SPARSE_ATTN_RUNTIME="/nowhere.so"
    )
    assert "RuntimeLibraryError" in message and "/nowhere.so" in message
    for part in ("SPARSE_ATTN_RUNTIME", "scripts/build.sh", "libSparseAttnRuntime.so"):
        assert part in message
    message = run_python(
        "import sparse_attn; sparse_attn.load('.')", SPARSE_ATTN_RUNTIME=""
    )
    assert "libSparseAttnRuntime.so.0.1" in message and "this package" in message


def test_library_of_another_release(monkeypatch):
    libc = ctypes.util.find_library("c")
    message = run_python(
        "import sparse_attn; sparse_attn.load('.')", SPARSE_ATTN_RUNTIME=libc
    )
    assert "is of another release than this package: it has no sparseAttn" in message
    monkeypatch.setattr(_library, "INTERFACE_VERSION", 0)
    with expect(errors.RuntimeLibraryError, "its interface has version 1, expected"):
        _library.Library()


def test_every_status_has_its_class():
    lib = _library.library()._library
    lib.sparseAttnGetStatusName.restype = ctypes.c_char_p
    for status in range(1, 21):
        error = errors.make_error(status, "text")
        assert error.status == status and str(error) == "text"
        assert type(error) is not errors.SparseAttnError
        name = lib.sparseAttnGetStatusName(status).decode().replace("_", "")
        word = type(error).__name__.replace("Package", "").upper()
        assert word.startswith(name.replace("PACKAGE", "").replace("ERROR", "")), name
    # A code that a later library has.
    assert type(errors.make_error(77, "text")) is errors.SparseAttnError
