"""Tensors of any framework as the runtime library sees them."""

from __future__ import annotations

import math
import struct
import sys
from ctypes import addressof, byref, c_int32, c_int64, c_uint64, sizeof
from functools import lru_cache
from typing import Any, NamedTuple

from . import _dlpack
from ._library import BSHD, HOST, Tensor, driver, library
from .errors import (
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


@lru_cache(maxsize=64)
def torch_type(dtype: Any) -> int | None:
    name = str(dtype).removeprefix("torch.")
    return _TORCH_NAMES.index(name) if name in _TORCH_NAMES else None


def is_torch(tensor: object) -> bool:
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(tensor, torch.Tensor)


def view_new(tensor: Any, name: str, like: View, type: int) -> View:
    """Of a dense tensor that was just made, on the device of ``like``."""
    if is_torch(tensor):
        return View(
            tensor.data_ptr(), type, tuple(tensor.shape), None, like.device, tensor
        )
    return view(tensor, name)


def view(tensor: Any, name: str, stream: int | None = None) -> View:
    """``name`` is for errors. ``stream`` is where the memory will be used, for
    DLPack's producers, who then make it wait for their own work.

    Raises WrongTypeError, WrongDeviceError, WrongStridesError.
    """
    if is_torch(tensor):
        return _view_torch(tensor, name)
    if hasattr(tensor, "__cuda_array_interface__"):
        found = _view_cuda_array(tensor, name)
    elif hasattr(tensor, "__array_interface__"):
        found = _view_array(tensor, name, tensor.__array_interface__, HOST)
    elif hasattr(tensor, "__dlpack__") and hasattr(tensor, "__dlpack_device__"):
        found = _view_dlpack(tensor, name, stream)
    else:
        raise _no_tensor(tensor, name)
    # Whatever their interfaces say, or leave out.
    if is_immutable(tensor.__class__):
        return found._replace(read_only=True)
    return found


# Frameworks whose arrays never change: others share them.
_IMMUTABLE = frozenset({"jax", "jaxlib", "tensorflow"})


@lru_cache(maxsize=256)
def is_immutable(kind: Any) -> bool:
    return any(
        base.__module__.split(".")[0] in _IMMUTABLE for base in kind.__mro__
    )


def _no_tensor(tensor: object, name: str) -> WrongTypeError:
    return WrongTypeError(
        f"{name} is a {type(tensor).__name__}, expected a tensor with __dlpack__, "
        "__cuda_array_interface__ or __array_interface__"
    )


def _advise_type(name: str) -> str:
    # A result that was converted would be written in vain.
    if name.startswith("result"):
        return "give a tensor of the function's type"
    return "convert it to the function's type"


def _wrong_elements(name: str, found: str) -> WrongTypeError:
    return WrongTypeError(
        f"{name} has elements of {found}, which no function takes; attention is "
        f"compiled for f16, bf16 and f32 only: {_advise_type(name)}"
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
    device = tensor.device
    if device.type == "cuda":
        where = device.index
    elif device.type == "cpu":
        where = HOST
    else:
        raise WrongDeviceError(
            f"{name} is on {device}; functions run on CUDA devices and on the CPU"
        )
    try:
        # Of a fake tensor, which only says that it is on this device, PyTorch gives the
        # address 0, with a warning.
        if type(tensor) is not torch.Tensor:
            if tensor.untyped_storage().device != device:
                raise _no_memory(tensor, name)
        address = tensor.data_ptr()
    except RuntimeError:
        raise _no_memory(tensor, name) from None
    return View(address, number, tuple(tensor.shape), tensor.stride(), where, tensor)


def _no_memory(tensor: Any, name: str) -> WrongTypeError:
    from ._autograd import (
        has_tangent,
        raise_no_backward,
        raise_no_forward_mode,
        requires_gradient,
    )

    if has_tangent([tensor]):
        raise_no_forward_mode(f"a function of {name}")
    if requires_gradient([tensor]):
        raise_no_backward(f"a function of {name}")
    return WrongTypeError(
        f"{name} has no memory of its own, as inside of torch.func and torch.compile; "
        "call an operator there that sparse_attn.torch.register has made"
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
        capsule = _export(tensor, options)
        found = _dlpack.read_capsule(capsule)
    except (TypeError, BufferError) as error:
        raise WrongTypeError(
            f"{name} cannot be taken by DLPack: {error}; give a NumPy array or a "
            "tensor of PyTorch"
        ) from None
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


def _export(tensor: Any, options: dict[str, Any]) -> object:
    try:
        return tensor.__dlpack__(max_version=(1, 0), **options)
    except TypeError:
        # Older than version 1.
        return tensor.__dlpack__(**options)


@lru_cache(maxsize=4096)
def _integers(values: tuple[int, ...]) -> tuple[int, Any]:
    """Their address, and what keeps them there."""
    array = (c_int64 * max(len(values), 1))(*values)
    return addressof(array), array


class CTensors:
    """An array of SparseAttnTensor for one call, with all that it points to."""

    def __init__(self, views: list[View], layout: str = "bhsd") -> None:
        fields: list[int] = []
        order = BSHD if layout == "bshd" else 0
        self._keep = []
        for v in views:
            shape, array = _integers(v.shape)
            self._keep.append(array)
            strides = 0
            if v.strides is not None:
                strides, array = _integers(v.strides)
                self._keep.append(array)
            fields += (v.data, v.type + order, len(v.shape), shape, strides)
        # By struct, as setting a field by ctypes costs as much as a launch.
        self._as_parameter_ = struct.pack(_TENSOR * len(views), *fields)


# SparseAttnTensor on 64-bit machines: data, type, rank, shape, strides.
_TENSOR = "QiiQQ"
assert struct.calcsize(_TENSOR) == sizeof(Tensor)
