"""DLPack's structures, and capsules in both directions, by ctypes.

https://dmlc.github.io/dlpack/latest/c_api.html
"""

from __future__ import annotations

import ctypes
import math
from ctypes import POINTER, c_int32, c_int64, c_uint8, c_uint16, c_uint32, c_uint64
from ctypes import c_char_p, c_void_p, py_object
from typing import Any, NamedTuple

CPU, CUDA, CUDA_HOST, CUDA_MANAGED = 1, 2, 3, 13
DEVICE_NAMES = {4: "OpenCL", 7: "Vulkan", 8: "Metal", 10: "ROCm", 14: "oneAPI"}

# (code, bits) of an element type, by its number in the runtime library.
_TYPES = {0: (2, 16), 1: (4, 16), 2: (2, 32), 3: (2, 64)}
_TYPES.update({4: (0, 8), 5: (0, 16), 6: (0, 32), 7: (0, 64)})
_NUMBERS = {pair: number for number, pair in _TYPES.items()}
_KINDS = {0: "int", 1: "uint", 2: "float", 4: "bfloat", 5: "complex", 6: "bool"}


class _DLTensor(ctypes.Structure):
    _fields_ = [
        ("data", c_void_p),
        ("device_type", c_int32),
        ("device_id", c_int32),
        ("ndim", c_int32),
        ("code", c_uint8),
        ("bits", c_uint8),
        ("lanes", c_uint16),
        ("shape", POINTER(c_int64)),
        ("strides", POINTER(c_int64)),
        ("byte_offset", c_uint64),
    ]


class _Managed(ctypes.Structure):
    _fields_ = [("tensor", _DLTensor), ("context", c_void_p), ("deleter", c_void_p)]


class _Versioned(ctypes.Structure):
    _fields_ = [
        ("major", c_uint32),
        ("minor", c_uint32),
        ("context", c_void_p),
        ("deleter", c_void_p),
        ("flags", c_uint64),
        ("tensor", _DLTensor),
    ]


_api = ctypes.pythonapi
_api.PyCapsule_IsValid.argtypes = [py_object, c_char_p]
_api.PyCapsule_IsValid.restype = ctypes.c_int
_api.PyCapsule_GetPointer.argtypes = [py_object, c_char_p]
_api.PyCapsule_GetPointer.restype = c_void_p
_api.PyCapsule_New.argtypes = [c_void_p, c_char_p, c_void_p]
_api.PyCapsule_New.restype = py_object


# Flags of a versioned capsule.
_READ_ONLY, _COPIED = 1, 2


class Contents(NamedTuple):
    """What a capsule says of a tensor."""

    data: int
    type: int | None
    type_name: str
    shape: tuple[int, ...]
    strides: tuple[int, ...] | None
    read_only: bool
    """Whether what is written there is lost or forbidden. A capsule of before
    version 1 does not say."""


def read_capsule(capsule: object) -> Contents:
    """The capsule keeps what it is of: it is only looked at."""
    read_only = False
    if _api.PyCapsule_IsValid(capsule, b"dltensor_versioned"):
        address = _api.PyCapsule_GetPointer(capsule, b"dltensor_versioned")
        versioned = _Versioned.from_address(address)
        tensor, read_only = versioned.tensor, bool(
            versioned.flags & (_READ_ONLY | _COPIED)
        )
    elif _api.PyCapsule_IsValid(capsule, b"dltensor"):
        address = _api.PyCapsule_GetPointer(capsule, b"dltensor")
        tensor = _Managed.from_address(address).tensor
    else:
        raise TypeError("__dlpack__ gave no unused capsule of a tensor")
    rank = tensor.ndim
    key = (tensor.code, tensor.bits)
    name = f"{_KINDS.get(tensor.code, f'kind {tensor.code}')}{tensor.bits}"
    if tensor.lanes != 1:
        key, name = (-1, 0), f"{name}x{tensor.lanes}"
    return Contents(
        (tensor.data or 0) + tensor.byte_offset,
        _NUMBERS.get(key),
        name,
        tuple(tensor.shape[:rank]),
        tuple(tensor.strides[:rank]) if tensor.strides else None,
        read_only,
    )


# What capsules of ours hold, until their consumers let go, by address.
_exported: dict[int, tuple[object, ...]] = {}


def _forget(address: int) -> None:
    _exported.pop(address, None)


_delete = ctypes.CFUNCTYPE(None, c_void_p)(_forget)


# The capsule is being destroyed, so that no reference to it may be made.
_get_raw = ctypes.PYFUNCTYPE(c_void_p, c_void_p, c_char_p)(
    ("PyCapsule_GetPointer", _api)
)
_is_valid_raw = ctypes.PYFUNCTYPE(ctypes.c_int, c_void_p, c_char_p)(
    ("PyCapsule_IsValid", _api)
)


def _forget_unused(capsule: int) -> None:
    """Of a capsule that nobody has consumed: one that was has another name."""
    if _is_valid_raw(capsule, b"dltensor"):
        _forget(_get_raw(capsule, b"dltensor"))


_destroy = ctypes.PYFUNCTYPE(None, c_void_p)(_forget_unused)


def make_capsule(
    data: int, type: int, shape: tuple[int, ...], device: tuple[int, int], owner: Any
) -> object:
    """A capsule of a dense tensor that keeps ``owner`` alive."""
    sizes = (c_int64 * max(len(shape), 1))(*shape)
    managed = _Managed()
    tensor = managed.tensor
    # An empty tensor has no address.
    tensor.data = data if math.prod(shape) else None
    tensor.device_type, tensor.device_id = device
    tensor.ndim = len(shape)
    tensor.code, tensor.bits = _TYPES[type]
    tensor.lanes = 1
    tensor.shape = sizes
    managed.deleter = ctypes.cast(_delete, c_void_p)
    address = ctypes.addressof(managed)
    _exported[address] = (managed, sizes, owner)
    capsule: object = _api.PyCapsule_New(
        address, b"dltensor", ctypes.cast(_destroy, c_void_p)
    )
    return capsule
