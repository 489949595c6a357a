"""What is asked of CuPy, by a stand-in: on which device and stream memory is
allocated. CuPy itself needs a GPU."""

import contextlib
import sys
import types

import numpy as np
import pytest
import sparse_attn
from double import GpuArray, double

__all__ = ["double"]

SHAPE = (1, 2, 70, 64)


class ndarray(GpuArray):
    pass


# By its module an array's framework is known.
ndarray.__module__ = "cupy"


@pytest.fixture
def cupy(double, monkeypatch):
    double.reset(devices=2)
    module = types.ModuleType("cupy")
    module.device, module.asked, module.refused = 0, [], ()
    module.streams = {0: 0, 1: double.make_stream(1)}
    module.stream = None

    @contextlib.contextmanager
    def use(attribute, value):
        before = getattr(module, attribute)
        setattr(module, attribute, value)
        try:
            yield
        finally:
            setattr(module, attribute, before)

    def current():
        return module.stream or module.streams[module.device]

    def check(what):
        if what in module.refused:
            raise MemoryError("out of memory")

    def empty(shape, dtype):
        check("result")
        module.asked.append((module.device, current(), np.dtype(dtype).name))
        return ndarray(double, tuple(shape), np.dtype(dtype).str, module.device)

    def alloc(size):
        check("workspace")
        module.asked.append((module.device, current(), size))
        return types.SimpleNamespace(ptr=double.allocate(size, module.device))

    module.empty = empty
    module.cuda = types.SimpleNamespace(
        Device=lambda device: use("device", device),
        ExternalStream=lambda stream, device: use("stream", stream),
        get_current_stream=lambda: types.SimpleNamespace(ptr=current()),
        alloc=alloc,
    )
    monkeypatch.setitem(sys.modules, "cupy", module)
    return module


def test_memory_is_of_the_device_and_its_current_stream(double, directory, cupy):
    with sparse_attn.load(directory) as package:
        tensors = [ndarray(double, SHAPE, device=1) for _ in range(3)]
        size = package["longformer"].workspace_bytes(*tensors)
        o, lse = package(*tensors)
        assert type(o) is ndarray and type(lse) is ndarray and lse.shape == SHAPE[:3]
        stream = cupy.streams[1]
        assert cupy.asked == [(1, stream, "float32")] * 2 + [(1, stream, size)]
        assert {launch[1:3] for launch in double.launches()} == {(1, stream)}


def test_memory_is_for_the_stream_that_is_given(double, directory, cupy):
    with sparse_attn.load(directory) as package:
        tensors = [ndarray(double, SHAPE, device=1) for _ in range(3)]
        stream = double.make_stream(1)
        package["longformer"](*tensors, stream=stream)
        assert {asked[:2] for asked in cupy.asked} == {(1, stream)}
        assert {launch[2] for launch in double.launches()} == {stream}
        assert cupy.stream is None


@pytest.mark.parametrize("what", ["result", "workspace"])
def test_memory_that_is_not_there(double, directory, cupy, what):
    with sparse_attn.load(directory) as package:
        tensors = [ndarray(double, SHAPE, device=1) for _ in range(3)]
        size = package["longformer"].workspace_bytes(*tensors)
        cupy.refused = (what,)
        text = {
            "result": "GPU 1 has no 35840 bytes for result 0 (output) of 'longformer', "
            "of the shape (1, 2, 70, 64); free some, or give smaller tensors",
            "workspace": f"GPU 1 has no {size} bytes for the workspace of 'longformer'; "
            "free some, or give smaller tensors",
        }
        with pytest.raises(sparse_attn.errors.OutOfMemoryError) as raised:
            package(*tensors)
        assert str(raised.value) == text[what]
        assert not double.launches()
