"""The driver double, and arrays in its devices' memory."""

import ctypes
import gc
import os

import pytest
from sparse_attn import _library


class Double:
    def __init__(self):
        self.library = ctypes.CDLL(os.environ["SPARSE_ATTN_LIBCUDA"])
        self.library.cudaDoubleAllocate.restype = ctypes.c_uint64
        self.library.cudaDoubleMakeStream.restype = ctypes.c_void_p
        for name in ("Launches", "Violations", "Calls", "Report"):
            getattr(self.library, "cudaDoubleGet" + name).restype = ctypes.c_char_p

    def reset(self, devices=1, capability=90, pools=True):
        self.library.cudaDoubleReset(devices, capability, pools)

    def emulate(self, kernels, seed=0):
        """Launches run in the emulator from now on, until the next reset."""
        self.library.cudaDoubleEmulate(str(kernels).encode(), ctypes.c_uint64(seed))

    def report(self):
        """What went wrong in a kernel."""
        return self.library.cudaDoubleGetReport().decode()

    def add_memory(self, address, size, device=0):
        """Memory of this process serves as the device's."""
        self.library.cudaDoubleAddMemory(
            ctypes.c_uint64(address), ctypes.c_uint64(size), ctypes.c_int(device)
        )

    def remove_memory(self, address):
        self.library.cudaDoubleRemoveMemory(ctypes.c_uint64(address))

    def fail_next(self, function, error):
        self.library.cudaDoubleFailNext(function.encode(), error)

    def set_version(self, version):
        self.library.cudaDoubleSetVersion(version)

    def allocate(self, size, device=0):
        return self.library.cudaDoubleAllocate(
            ctypes.c_int(device), ctypes.c_uint64(size)
        )

    def make_stream(self, device=0, capturing=False):
        return self.library.cudaDoubleMakeStream(device, capturing)

    def launches(self):
        """(kernel, device, stream, parameters) of each."""
        lines = self.library.cudaDoubleGetLaunches().decode().splitlines()
        launches = []
        for line in lines:
            kernel, *numbers = line.split()
            device, stream, *parameters = map(int, numbers)
            launches.append((kernel, device, stream, parameters))
        return launches

    def violations(self):
        return self.library.cudaDoubleGetViolations().decode().splitlines()

    def calls(self):
        return self.library.cudaDoubleGetCalls().decode().splitlines()

    def count_left(self):
        return self.library.cudaDoubleCountLeft()


@pytest.fixture
def double(monkeypatch):
    """A new driver for the test; nothing wrong may have been done at its end, and
    nothing be left once what the test has made is gone."""
    double = Double()
    double.reset()
    monkeypatch.setattr(_library, "_driver", None)
    yield double
    gc.collect()
    assert double.violations() == []
    assert double.count_left() == 0


class GpuArray:
    """Memory of a device, shown as __cuda_array_interface__ has it."""

    def __init__(
        self, double, shape, typestr="<f4", device=0, strides=None, stream=None
    ):
        width = int(typestr[2:])
        extent = width
        for size in shape:
            extent *= size
        self.shape = shape
        self.device = device
        self.data = double.allocate(extent, device)
        self.__cuda_array_interface__ = {
            "shape": shape,
            "typestr": typestr,
            "data": (self.data, False),
            "strides": strides,
            "version": 3,
        }
        if stream is not None:
            self.__cuda_array_interface__["stream"] = stream
