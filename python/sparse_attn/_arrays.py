"""Tensors of this package's own, for callers without a framework that has any."""

from __future__ import annotations

import ctypes
import math
import weakref
from ctypes import byref, c_int32, c_uint64
from typing import Any

from . import _dlpack
from ._library import HOST, driver, library
from ._views import TYPE_BYTES, TYPE_STRINGS, TYPES

_ALIGNMENT = 64


def _free(device: int, address: int) -> None:
    library().call("DeviceFree", driver(), c_int32(device), c_uint64(address))


class Array:
    """A dense, row-major tensor on a GPU or on the host.

    Other frameworks take it by ``__dlpack__``, by ``__cuda_array_interface__`` (on a
    GPU) or by ``__array_interface__`` (on the host); for bf16 by DLPack only. Its
    memory goes with the last of all that refer to it.

    ``shape``: tuple of sizes. ``type``: "f16", "bf16", "f32", ... ``device``: the
    GPU's number, or "cpu".
    """

    def __init__(self, shape: tuple[int, ...], type: int, device: int) -> None:
        self.shape = shape
        self.type = TYPES[type]
        self.device: int | str = "cpu" if device == HOST else device
        self.nbytes = math.prod(shape) * TYPE_BYTES[type]
        self._number = type
        self._keep: object = None
        # No driver gives 0 bytes.
        size = max(self.nbytes, 1)
        if device == HOST:
            memory = ctypes.create_string_buffer(size + _ALIGNMENT)
            start = ctypes.addressof(memory)
            self.data = start + -start % _ALIGNMENT
            self._keep = memory
            return
        address = c_uint64()
        library().call("DeviceAllocate", driver(), device, size, byref(address))
        self.data = address.value
        weakref.finalize(self, _free, device, self.data).atexit = False

    def __repr__(self) -> str:
        return f"<sparse_attn.Array {self.type}{list(self.shape)} on {self.device}>"

    def _interface(self) -> dict[str, Any]:
        text = TYPE_STRINGS[self._number]
        if text is None:
            raise AttributeError(
                "array interfaces have no bf16; take the array by DLPack"
            )
        return {
            "shape": self.shape,
            "typestr": text,
            "data": (self.data if self.nbytes else 0, False),
            "strides": None,
            "version": 3,
        }

    @property
    def __array_interface__(self) -> dict[str, Any]:
        if self.device != "cpu":
            raise AttributeError("the array is on a GPU")
        return self._interface()

    @property
    def __cuda_array_interface__(self) -> dict[str, Any]:
        if self.device == "cpu":
            raise AttributeError("the array is on the host")
        return self._interface()

    def __dlpack_device__(self) -> tuple[int, int]:
        if isinstance(self.device, int):
            return (_dlpack.CUDA, self.device)
        return (_dlpack.CPU, 0)

    def __dlpack__(self, *, stream: int | None = None, **options: object) -> object:
        """A capsule of the array. It is not waited for: on a GPU, use it on the
        stream of the call that has made it, or wait for that one."""
        return _dlpack.make_capsule(
            self.data, self._number, self.shape, self.__dlpack_device__(), self
        )
