"""What kernels compute, called from Python: the driver double runs them in the
emulator."""

import ctypes
import json
import re

import numpy as np
import pytest
import sparse_attn
import torch
from conftest import INPUTS, causal, compile_package, longformer, random, reference
from double import GpuArray, double
from sparse_attn._dlpack import make_capsule

__all__ = ["double"]

TYPES = ("float16", "bfloat16", "float32")
TYPE_STRINGS = {np.dtype("float32"): "<f4", np.dtype("float16"): "<f2"}


def compile_emulated(path, **source):
    """A package, and its kernels for the emulator."""
    kernels = path / "kernels"
    options = [f"--emulator-objects={kernels}"]
    return compile_package(path / "package", "sm_80", options=options, **source), kernels


@pytest.fixture(scope="module")
def compiled(tmp_path_factory):
    return compile_emulated(tmp_path_factory.mktemp("emulated"))


@pytest.fixture(scope="module")
def compiled_heads(tmp_path_factory):
    return compile_emulated(tmp_path_factory.mktemp("heads"), file=INPUTS / "heads.mlir")


@pytest.fixture(params=[0, 7], ids="seed{}".format)
def seed(request):
    """A schedule of the kernels' threads."""
    return request.param


@pytest.fixture
def gpu(double, compiled, seed):
    """The package on a double that runs kernels."""
    directory, kernels = compiled
    double.emulate(kernels, seed=seed)
    with sparse_attn.load(directory) as package:
        yield package
    assert double.report() == ""


def view(address, shape, dtype):
    """Memory of the device, which here is the process's own."""
    size = int(np.prod(shape)) * np.dtype(dtype).itemsize
    memory = (ctypes.c_char * size).from_address(address)
    return np.frombuffer(memory, dtype).reshape(shape)


def to_gpu(double, values):
    """A copy on the device."""
    array = GpuArray(double, values.shape, TYPE_STRINGS[values.dtype])
    view(array.data, values.shape, values.dtype)[...] = values
    return array


def from_gpu(array, dtype=np.float32):
    return view(array.__cuda_array_interface__["data"][0], array.shape, dtype).copy()


def check(result, expected, tolerance=2e-5):
    np.testing.assert_allclose(result, expected, rtol=0, atol=tolerance)


def test_longformer_with_grouped_heads(double, gpu):
    # Heavy rows in a launch of their own, merged in a third, and a workspace.
    q, k, v = (random((2, heads, 200, 64), seed=heads + i)
               for i, heads in enumerate((4, 2, 2)))
    o, lse = gpu(*(to_gpu(double, x) for x in (q, k, v)))
    expected, expected_lse = reference(q, k, v, longformer)
    check(from_gpu(o), expected)
    check(from_gpu(lse), expected_lse)


def test_bshd_is_read_and_written_as_it_lies(double, gpu):
    q, k, v = (random((1, 2, 150, 64), seed=i) for i in range(3))
    swapped = [np.ascontiguousarray(x.swapaxes(1, 2)) for x in (q, k, v)]
    o, lse = gpu["longformer"](*(to_gpu(double, x) for x in swapped), layout="bshd")
    assert o.shape == (1, 150, 2, 64)
    expected, expected_lse = reference(q, k, v, longformer)
    check(from_gpu(o).swapaxes(1, 2), expected)
    check(from_gpu(lse), expected_lse)


def test_keys_shared_by_a_stride_of_zero(double, gpu):
    q, k, v = (random((1, heads, 64, 64), seed=i) for i, heads in enumerate((2, 1, 1)))
    one_head = GpuArray(double, (1, 2, 64, 64), strides=(64 * 256, 0, 256, 4))
    view(one_head.data, (64, 64), np.float32)[...] = k[0, 0]
    values = to_gpu(double, np.repeat(v, 2, axis=1))
    o = gpu["causal_64"](to_gpu(double, q), one_head, values)
    check(from_gpu(o), reference(q, k, v, causal)[0])


def test_half_written_into_an_argument_between_others(double, gpu):
    # The output's rows lie among those of a wider tensor, which stay as they are.
    q, k, v = (random((2, 4, 50, 16), np.float16, seed=i) for i in range(3))
    wide = np.full((2, 50, 4, 32), 7, np.float16)
    place = GpuArray(
        double, (2, 4, 50, 16), "<f2", strides=(50 * 4 * 64, 64, 4 * 64, 2)
    )
    memory = double.allocate(wide.nbytes)
    place.data = memory
    place.__cuda_array_interface__["data"] = (memory, False)
    view(memory, wide.shape, wide.dtype)[...] = wide
    assert gpu["in_place"](*(to_gpu(double, x) for x in (q, k, v)), place) is place
    after = view(memory, wide.shape, wide.dtype)
    check(after[..., :16].swapaxes(1, 2), reference(q, k, v, causal)[0], 2e-3)
    assert (after[..., 16:] == 7).all()


def test_heads_of_any_multiple_of_8(double, compiled_heads, seed):
    directory, kernels = compiled_heads
    double.emulate(kernels, seed=seed)
    with sparse_attn.load(directory) as package:
        q, k, v = (random((1, 2, 45, 40), np.float16, seed=i) for i in range(3))
        o = package["heads_of_40"](*(to_gpu(double, x) for x in (q, k, v)))
        check(from_gpu(o, np.float16), reference(q, k, v, causal)[0], 4e-3)
        # Keys that two heads share; of values, slices of 136 and 128 columns.
        q, k, v = (random((1, heads, 45, size), np.float16, seed=size)
                   for heads, size in ((2, 328), (1, 328), (1, 264)))
        o, lse = package["heads_of_328"](*(to_gpu(double, x) for x in (q, k, v)))
        expected, expected_lse = reference(q, k, v, causal)
        check(from_gpu(o, np.float16), expected, 4e-3)
        check(from_gpu(lse), expected_lse, 1e-4)
    assert double.report() == ""


def test_memory_of_pytorch(double, gpu):
    """DLPack's way: bf16, which NumPy does not have."""
    tensors = [torch.randn(1, 2, 70, 32, dtype=torch.bfloat16) for _ in range(4)]
    arrays = []
    for tensor in tensors:
        address = tensor.data_ptr()
        # PyTorch aligns to 64 bytes.
        double.add_memory(address, tensor.nbytes)
        arrays.append(OnGpu(tensor))
    try:
        gpu["causal_bf16"](*arrays[:3], out=arrays[3])
    finally:
        for tensor in tensors:
            double.remove_memory(tensor.data_ptr())
    q, k, v, o = (tensor.float().numpy() for tensor in tensors)
    check(o, reference(q, k, v, causal)[0], 2e-2)


class OnGpu:
    """A tensor of the host that says that it is on device 0."""

    def __init__(self, tensor):
        self.tensor = tensor

    def __dlpack_device__(self):
        return 2, 0

    def __dlpack__(self, *, stream=None, **options):
        tensor = self.tensor
        number = TYPES.index(str(tensor.dtype).removeprefix("torch."))
        return make_capsule(
            tensor.data_ptr(), number, tuple(tensor.shape), (2, 0), tensor
        )


def documents_text(ends, head_size):
    """A module of attention within documents that end there."""
    parts = []
    for begin, end in zip([0, *ends], ends):
        sides = [f"#sparse_attn.global<first = {end}, direction = rows>",
                 f"#sparse_attn.prefix<length = {end}>"]
        if begin:
            sides += [f"#sparse_attn.complement<#sparse_attn.global<first = {begin}, direction = rows>>",
                      f"#sparse_attn.complement<#sparse_attn.prefix<length = {begin}>>"]
        parts.append(f"#sparse_attn.intersection<{', '.join(sides)}>")
    return f"""!t = tensor<2x2x{ends[-1]}x{head_size}xf16>
        func.func @documents(%q: !t, %k: !t, %v: !t) -> !t {{
          %init = tensor.empty() : !t
          %o = sparse_attn.attention mask(#sparse_attn.union<{", ".join(parts)}>)
              ins(%q, %k, %v : !t, !t, !t) outs(%init : !t) -> !t
          return %o : !t
        }}"""


def test_tiles_of_a_table(double, tmp_path, seed):
    """Query tiles begin where documents do. There is no variant that splits keys, as plans
    without a table would visit most of them in vain."""
    ends = np.cumsum([5 + i % 9 for i in range(70)]).tolist()
    (tmp_path / "documents.mlir").write_text(documents_text(ends, 64))
    directory, kernels = compile_emulated(
        tmp_path, file=tmp_path / "documents.mlir", variants=True)
    program, = json.loads((directory / "manifest.json").read_text())["programs"]
    variant, = program["variants"]
    assert any("table" in line for line in variant["plans"][0]["plan"])

    def documents(rows, keys):
        return np.searchsorted(ends, rows, "right") == np.searchsorted(ends, keys, "right")

    double.emulate(kernels, seed=seed)
    with sparse_attn.load(directory) as package:
        q, k, v = (random((2, 2, ends[-1], 64), np.float16, seed=i) for i in range(3))
        o = package["documents"](*(to_gpu(double, x) for x in (q, k, v)))
        check(from_gpu(o, np.float16), reference(q, k, v, documents)[0], 4e-3)
    assert double.report() == ""


def test_rows_of_a_layout(double, tmp_path, seed):
    """Rows of scattered tokens are read from, and written to, where strides say."""
    tokens = sorted(np.random.default_rng(3).choice(700, 40, replace=False).tolist())
    (tmp_path / "tokens.mlir").write_text(f"""!t = tensor<2x2x700x64xf16>
        func.func @tokens(%q: !t, %k: !t, %v: !t) -> !t {{
          %init = tensor.empty() : !t
          %o = sparse_attn.attention
              mask(#sparse_attn.longformer<window = 40, global_tokens = {tokens}>)
              ins(%q, %k, %v : !t, !t, !t) outs(%init : !t) -> !t
          return %o : !t
        }}""")
    directory, kernels = compile_emulated(tmp_path, file=tmp_path / "tokens.mlir")
    assert re.search(r"rows [^\n]* of list<", (directory / "manifest.json").read_text())

    def listed(rows, keys):
        near = abs(rows - keys) <= 20
        return near | np.isin(keys, tokens) | np.isin(rows, tokens)

    double.emulate(kernels, seed=seed)
    with sparse_attn.load(directory) as package:
        q, k, v = (random((2, 2, 700, 64), np.float16, seed=i) for i in range(3))
        o = package["tokens"](*(to_gpu(double, x) for x in (q, k, v)))
        check(from_gpu(o, np.float16), reference(q, k, v, listed)[0], 4e-3)
    assert double.report() == ""


def test_keys_that_are_no_neighbours(double, tmp_path_factory, seed):
    """Rows are where their strides say, and tables come with the kernels."""
    directory, kernels = compile_emulated(
        tmp_path_factory.mktemp("layouts"), file=INPUTS / "layouts.mlir"
    )
    manifest = (directory / "manifest.json").read_text()
    assert "of list<" in manifest and "of lattice<" in manifest
    tokens = [5, 78, 110, 131, 140, 150]

    def listed(rows, keys):
        return (abs(rows - keys) <= 20) | np.isin(keys, tokens)

    def on_a_lattice(rows, keys):
        return (abs(rows - keys) <= 20) | (keys % 16 == 15)

    double.emulate(kernels, seed=seed)
    with sparse_attn.load(directory) as package:
        q, k, v = (random((1, 2, 170, 64), np.float16, seed=i) for i in range(3))
        swapped = [np.ascontiguousarray(x.swapaxes(1, 2)) for x in (q, k, v)]
        for mask in (listed, on_a_lattice):
            o = package[mask.__name__](*(to_gpu(double, x) for x in swapped), layout="bshd")
            expected = reference(q, k, v, mask)[0]
            check(from_gpu(o, np.float16).swapaxes(1, 2), expected, 4e-3)
    assert double.report() == ""
