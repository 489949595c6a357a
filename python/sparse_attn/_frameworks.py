"""What belongs to a framework: new tensors, streams, scratch memory."""

from __future__ import annotations

import contextlib
import sys
from functools import lru_cache
from typing import Any, ContextManager

from ._arrays import Array
from ._library import HOST
from ._views import TYPES, View, is_torch
from .errors import SparseAttnError


class Framework:
    """For tensors of no framework that is known here."""

    def empty(self, shape: tuple[int, ...], type: int, like: View) -> Any:
        return Array(shape, type, like.device)

    def current_stream(self, device: int, views: list[View]) -> int:
        """Where the producers of the tensors work; 0 is the default stream."""
        return next((v.stream for v in views if v.stream is not None), 0)

    def on_stream(self, stream: int, device: int) -> ContextManager[Any]:
        """Where memory from here on is allocated for."""
        return contextlib.nullcontext()

    def scratch(self, size: int, device: int) -> tuple[int, Any]:
        """Address and owner of memory of the device; 0 leaves it to the runtime."""
        return 0, None

    def is_out_of_memory(self, error: Exception, device: int) -> bool:
        """Whether ``empty`` or ``scratch`` raise it where there is no memory left."""
        return isinstance(error, MemoryError) and not isinstance(error, SparseAttnError)


@lru_cache(maxsize=256)
def _torch_kind(type: int, device: int) -> tuple[Any, Any]:
    """PyTorch's dtype and device."""
    import torch

    dtype = getattr(torch, _dtype_name(type))
    return dtype, torch.device("cpu" if device == HOST else f"cuda:{device}")


class Torch(Framework):
    def empty(self, shape: tuple[int, ...], type: int, like: View) -> Any:
        dtype, device = _torch_kind(type, like.device)
        return sys.modules["torch"].empty(shape, dtype=dtype, device=device)

    def current_stream(self, device: int, views: list[View]) -> int:
        import torch

        return int(torch.cuda.current_stream(device).cuda_stream)

    def on_stream(self, stream: int, device: int) -> ContextManager[Any]:
        import torch

        # Its allocator gives memory to the stream that is current.
        external = torch.cuda.ExternalStream(stream, device=device)  # type: ignore[no-untyped-call]
        return torch.cuda.stream(external)

    def scratch(self, size: int, device: int) -> tuple[int, Any]:
        import torch

        # Cached by stream, and part of a CUDA graph that is being captured.
        memory = torch.empty(size, dtype=torch.uint8, device=f"cuda:{device}")
        return memory.data_ptr(), memory

    def is_out_of_memory(self, error: Exception, device: int) -> bool:
        import torch

        # Its allocator of the CPU has no class of its own.
        kind = RuntimeError if device == HOST else torch.OutOfMemoryError
        return isinstance(error, kind)


class CuPy(Framework):
    def empty(self, shape: tuple[int, ...], type: int, like: View) -> Any:
        cupy = sys.modules["cupy"]
        with cupy.cuda.Device(like.device):
            return cupy.empty(shape, dtype=_numpy_dtype(type))

    def current_stream(self, device: int, views: list[View]) -> int:
        cupy = sys.modules["cupy"]
        with cupy.cuda.Device(device):
            return int(cupy.cuda.get_current_stream().ptr)

    def on_stream(self, stream: int, device: int) -> ContextManager[Any]:
        cupy = sys.modules["cupy"]
        external: ContextManager[Any] = cupy.cuda.ExternalStream(stream, device)
        return external

    def scratch(self, size: int, device: int) -> tuple[int, Any]:
        cupy = sys.modules["cupy"]
        with cupy.cuda.Device(device):
            memory = cupy.cuda.alloc(size)
        return int(memory.ptr), memory


class NumPy(Framework):
    def empty(self, shape: tuple[int, ...], type: int, like: View) -> Any:
        import numpy

        return numpy.empty(shape, dtype=_numpy_dtype(type))


def _numpy_dtype(type: int) -> Any:
    """NumPy has no bf16 without ml_dtypes, whose arrays we then were given."""
    if TYPES[type] == "bf16":
        return sys.modules["ml_dtypes"].bfloat16
    return _dtype_name(type)


def _dtype_name(type: int) -> str:
    """As PyTorch and NumPy have it: "f32" is "float32", "i8" is "int8"."""
    name = TYPES[type]
    return name.replace("f", "float").replace("i", "int")


_TORCH, _CUPY, _NUMPY, _OTHER = Torch(), CuPy(), NumPy(), Framework()


def framework_of(tensor: Any) -> Framework:
    """New tensors come from where this one does."""
    if is_torch(tensor):
        return _TORCH
    modules = {base.__module__.split(".")[0] for base in type(tensor).__mro__}
    if "cupy" in modules:
        return _CUPY
    if "numpy" in modules:
        return _NUMPY
    return _OTHER
