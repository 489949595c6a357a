"""Tensors of any framework as the runtime library sees them."""

from __future__ import annotations

import math
import struct
import sys
from ctypes import addressof, byref, c_int32, c_int64, c_uint64, sizeof
from functools import lru_cache
from typing import Any, NamedTuple

from . import _dlpack
from ._library import HOST, Tensor, driver, library
from .errors import (
    NoBackwardError,
    WrongDeviceError,
    WrongStridesError,
    WrongTypeError,
)

# In the order of SparseAttnType.
TYPES = ("f16", "bf16", "f32", "f64", "i8", "i16", "i32", "i64")
TYPE_BYTES = (2, 2, 4, 8, 1, 2, 4, 8)
# Of __array_interface__ and __cuda_array_interface__; neither has bf16.
TYPE_STRINGS = ("<f2", None, "<f4", "<f8", "|i1", "<i2", "<i4", "<i8")
_FROM_STRING = {text: i for i, text in enumerate(TYPE_STRINGS) if text}
_TORCH_NAMES: tuple[str, ...] = ("float16", "bfloat16", "float32", "float64")
_TORCH_NAMES += ("int8", "int16", "int32", "int64")


class View(NamedTuple):
    """A tensor's memory. ``strides`` count elements; None means dense."""

    data: int
    type: int
    shape: tuple[int, ...]
    strides: tuple[int, ...] | None
    device: int
    """The GPU's number, or HOST."""
    tensor: Any
    """Whose memory it is."""
    stream: int | None = None
    """Where its producer works, if it says so."""
    read_only: bool = False

    def transposed(self) -> View:
        """[B, S, H, D] as [B, H, S, D], and back."""
        strides = self.strides or dense_strides(self.shape)
        return self._replace(
            shape=_swap(self.shape),
            strides=_swap(strides),
        )


def _swap(values: tuple[int, ...]) -> tuple[int, ...]:
    return (values[0], values[2], values[1], values[3])


def dense_strides(shape: tuple[int, ...]) -> tuple[int, ...]:
    strides: list[int] = []
    stride = 1
    for size in reversed(shape):
        strides.append(stride)
        stride *= size
    return tuple(reversed(strides))


@lru_cache(maxsize=64)
def torch_type(dtype: Any) -> int | None:
    name = str(dtype).removeprefix("torch.")
    return _TORCH_NAMES.index(name) if name in _TORCH_NAMES else None


def is_torch(tensor: object) -> bool:
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(tensor, torch.Tensor)


def view(tensor: Any, name: str, stream: int | None = None) -> View:
    """``name`` is for errors. ``stream`` is where the memory will be used, for
    DLPack's producers, who then make it wait for their own work.

    Raises WrongTypeError, WrongDeviceError, WrongStridesError.
    """
    if is_torch(tensor):
        return _view_torch(tensor, name)
    if hasattr(tensor, "__cuda_array_interface__"):
        return _view_cuda_array(tensor, name)
    if hasattr(tensor, "__array_interface__"):
        return _view_array(tensor, name, tensor.__array_interface__, HOST)
    if hasattr(tensor, "__dlpack__") and hasattr(tensor, "__dlpack_device__"):
        return _view_dlpack(tensor, name, stream)
    raise WrongTypeError(
        f"{name} is a {type(tensor).__name__}, expected a tensor with __dlpack__, "
        "__cuda_array_interface__ or __array_interface__"
    )


def _wrong_elements(name: str, found: str) -> WrongTypeError:
    return WrongTypeError(
        f"{name} has elements of {found}; functions take {', '.join(TYPES)}"
    )


def _view_torch(tensor: Any, name: str) -> View:
    torch = sys.modules["torch"]
    if tensor.layout is not torch.strided or tensor.is_neg():
        raise WrongStridesError(
            f"{name} is not a strided tensor in memory; use to_dense() or "
            "resolve_neg()"
        )
    number = torch_type(tensor.dtype)
    if number is None:
        raise _wrong_elements(name, str(tensor.dtype))
    if tensor.requires_grad and torch.is_grad_enabled():
        raise NoBackwardError(
            f"{name} requires a gradient, and sparse_attn has no backward pass yet; "
            "call under torch.no_grad(), or give tensor.detach()"
        )
    device = tensor.device
    if device.type == "cuda":
        where = device.index
    elif device.type == "cpu":
        where = HOST
    else:
        raise WrongDeviceError(
            f"{name} is on {device}; functions run on CUDA devices and on the CPU"
        )
    return View(
        tensor.data_ptr(), number, tuple(tensor.shape), tensor.stride(), where, tensor
    )


def _view_array(tensor: Any, name: str, interface: Any, device: int) -> View:
    text = interface["typestr"]
    number = _FROM_STRING.get(text)
    # ml_dtypes' bfloat16 has no letter of its own.
    if number is None and str(getattr(tensor, "dtype", "")) == "bfloat16":
        number = TYPES.index("bf16")
    if number is None:
        raise _wrong_elements(name, str(getattr(tensor, "dtype", text)))
    if interface.get("mask") is not None:
        raise WrongTypeError(f"{name} is a masked array; fill what is masked")
    if interface.get("data") is None:
        raise WrongTypeError(
            f"{name} has memory by the buffer protocol only; give a NumPy array"
        )
    data, read_only = interface["data"]
    shape = tuple(interface["shape"])
    strides = interface.get("strides")
    width = TYPE_BYTES[number]
    if strides is not None:
        if any(stride % width for stride in strides):
            raise WrongStridesError(
                f"{name} has strides of {tuple(strides)} bytes, which are no whole "
                f"elements of {width} bytes; copy it into a contiguous array"
            )
        strides = tuple(stride // width for stride in strides)
    return View(data or 0, number, shape, strides, device, tensor, None, read_only)


def _view_cuda_array(tensor: Any, name: str) -> View:
    interface = tensor.__cuda_array_interface__
    found = _view_array(tensor, name, interface, 0)
    stream = interface.get("stream")
    if hasattr(tensor, "__dlpack_device__"):
        device = int(tensor.__dlpack_device__()[1])
    elif found.data and math.prod(found.shape):
        number = c_int32()
        library().call("DeviceFind", driver(), c_uint64(found.data), byref(number))
        device = number.value
    else:
        device = 0
    return found._replace(device=device, stream=stream)


def _view_dlpack(tensor: Any, name: str, stream: int | None) -> View:
    kind, index = tensor.__dlpack_device__()
    if kind in (_dlpack.CUDA, _dlpack.CUDA_MANAGED):
        device = int(index)
        # 1 is the legacy default stream.
        options: dict[str, Any] = {"stream": stream or 1}
    elif kind in (_dlpack.CPU, _dlpack.CUDA_HOST):
        device, options = HOST, {}
    else:
        where = _dlpack.DEVICE_NAMES.get(int(kind), f"DLPack's kind {int(kind)}")
        raise WrongDeviceError(
            f"{name} is on a device of {where}; functions run on CUDA devices and on "
            "the CPU"
        )
    try:
        capsule = tensor.__dlpack__(max_version=(1, 0), **options)
    except TypeError:
        # Older than version 1.
        capsule = tensor.__dlpack__(**options)
    try:
        found = _dlpack.read_capsule(capsule)
    except TypeError as error:
        raise WrongTypeError(f"{name}: {error}") from None
    if found.type is None:
        raise _wrong_elements(name, found.type_name)
    return View(
        found.data,
        found.type,
        found.shape,
        found.strides,
        device,
        (tensor, capsule),
        None,
        found.read_only,
    )


@lru_cache(maxsize=4096)
def _integers(values: tuple[int, ...]) -> tuple[int, Any]:
    """Their address, and what keeps them there."""
    array = (c_int64 * max(len(values), 1))(*values)
    return addressof(array), array


class CTensors:
    """An array of SparseAttnTensor for one call, with all that it points to."""

    def __init__(self, views: list[View]) -> None:
        fields: list[int] = []
        self._keep = []
        for v in views:
            shape, array = _integers(v.shape)
            self._keep.append(array)
            strides = 0
            if v.strides is not None:
                strides, array = _integers(v.strides)
                self._keep.append(array)
            fields += (v.data, v.type, len(v.shape), shape, strides)
        # By struct, as setting a field by ctypes costs as much as a launch.
        self._as_parameter_ = struct.pack(_TENSOR * len(views), *fields)


# SparseAttnTensor on 64-bit machines: data, type, rank, shape, strides.
_TENSOR = "QiiQQ"
assert struct.calcsize(_TENSOR) == sizeof(Tensor)
