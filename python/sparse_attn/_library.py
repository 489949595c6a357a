"""The runtime library by ctypes: finding it, its types, its functions."""

from __future__ import annotations

import ctypes
import os
import pathlib
import sys
import threading
from ctypes import POINTER, byref, c_char_p, c_int32, c_int64, c_uint64, c_void_p
from typing import Any

from .errors import RuntimeLibraryError, make_error

# SPARSE_ATTN_INTERFACE_VERSION of the header that this is written from.
INTERFACE_VERSION = 1
NAME = "libSparseAttnRuntime.so"
# What a system-wide installation has; it changes with the interface.
INSTALLED_NAME = NAME + ".0.1"

# Devices that are no numbers of GPUs.
CURRENT_CONTEXT = -1
HOST = -2

# Added to a tensor's type: its dimensions are [B, S, H, D].
BSHD = 256


class Tensor(ctypes.Structure):
    """SparseAttnTensor"""

    _fields_ = [
        ("data", c_uint64),
        ("type", c_int32),
        ("rank", c_int32),
        ("shape", POINTER(c_int64)),
        ("strides", POINTER(c_int64)),
    ]


class TensorInfo(ctypes.Structure):
    """SparseAttnTensorInfo"""

    _fields_ = [
        ("type", c_int32),
        ("rank", c_int32),
        ("shape", POINTER(c_int64)),
        ("sizes", POINTER(c_char_p)),
        ("roles", POINTER(c_char_p)),
        ("num_roles", c_int32),
        ("in_argument", c_int32),
        ("in_result", c_int32),
    ]


# Results that are not a status, and the types of the arguments.
_VALUES: dict[str, tuple[Any, list[Any]]] = {
    "GetInterfaceVersion": (c_int32, []),
    "GetLastError": (c_char_p, []),
    "PackageClose": (None, [c_void_p]),
    "PackageGetSha256": (c_char_p, [c_void_p]),
    "PackageGetNumFunctions": (c_int32, [c_void_p]),
    "PackageGetFunction": (c_void_p, [c_void_p, c_int32]),
    "FunctionGetName": (c_char_p, [c_void_p]),
    "FunctionGetNumArguments": (c_int32, [c_void_p]),
    "FunctionGetNumResults": (c_int32, [c_void_p]),
    "FunctionGetNumVariants": (c_int32, [c_void_p]),
    "FunctionGetChip": (c_char_p, [c_void_p, c_int32]),
    "ProgramUnload": (None, [c_void_p]),
}
# An array of Tensor.
_Tensors = c_void_p
_STATUSES: dict[str, list[Any]] = {
    "PackageOpen": [c_char_p, POINTER(c_void_p)],
    "PackageFindFunction": [c_void_p, _Tensors, c_int32, POINTER(c_void_p)],
    "FunctionGetArgument": [c_void_p, c_int32, POINTER(TensorInfo)],
    "FunctionGetResult": [c_void_p, c_int32, POINTER(TensorInfo)],
    "FunctionGetResultShape": [c_void_p, _Tensors, c_int32, c_int32, POINTER(c_int64)],
    "DriverOpen": [c_char_p, POINTER(c_void_p)],
    "DriverGetNumDevices": [c_void_p, POINTER(c_int32)],
    "DeviceAllocate": [c_void_p, c_int32, c_uint64, POINTER(c_uint64)],
    "DeviceFree": [c_void_p, c_int32, c_uint64],
    "DeviceFind": [c_void_p, c_uint64, POINTER(c_int32)],
    "ProgramLoad": [c_void_p, c_void_p, c_int32, POINTER(c_void_p)],
    "ProgramGetWorkspaceBytes": [c_void_p, _Tensors, c_int32, POINTER(c_uint64)],
    "ProgramLaunch": [c_void_p, _Tensors, c_int32, _Tensors, c_int32]
    + [c_uint64, c_uint64, c_void_p],
}


def _open_library() -> ctypes.CDLL:
    """SPARSE_ATTN_RUNTIME, or the one in this package, or the system's."""
    named = os.environ.get("SPARSE_ATTN_RUNTIME")
    bundled = pathlib.Path(__file__).parent / NAME
    prefix = pathlib.Path(sys.prefix) / "lib" / INSTALLED_NAME
    if named:
        candidates = [named]
    elif bundled.is_file():
        candidates = [str(bundled)]
    else:
        candidates = [INSTALLED_NAME, str(prefix)]
    reasons = []
    for candidate in candidates:
        try:
            return ctypes.CDLL(candidate)
        except OSError as error:
            reasons.append(str(error))
    raise RuntimeLibraryError(
        f"the runtime library cannot be opened ({'; '.join(reasons)}). It is looked "
        "for in the file that SPARSE_ATTN_RUNTIME names; where that is not set, in "
        f"this package ({bundled}), which has it if it was installed beside a build; "
        f"else as {INSTALLED_NAME} where the system's loader looks and in "
        f"{prefix.parent}. Build it with scripts/build.sh and install this package "
        "again, or set SPARSE_ATTN_RUNTIME to the library"
    )


class Library:
    """The library's functions, without their common prefix. Those that return a
    status raise instead."""

    def __init__(self) -> None:
        self._library = _open_library()
        # Looking one up by ctypes takes as long as calling it.
        self._functions: dict[str, Any] = {}
        for name, (result, arguments) in _VALUES.items():
            self._declare(name, result, arguments)
        for name, arguments in _STATUSES.items():
            self._declare(name, c_int32, arguments)
        version = self._library.sparseAttnGetInterfaceVersion()
        if version != INTERFACE_VERSION:
            raise self._other_release(f"its interface has version {version}")

    def _other_release(self, fact: str) -> RuntimeLibraryError:
        return RuntimeLibraryError(
            f"{self._library._name} is of another release than this package: {fact}, "
            f"expected version {INTERFACE_VERSION}; build and install both from one "
            "checkout"
        )

    def _declare(self, name: str, result: Any, arguments: list[Any]) -> None:
        try:
            function = getattr(self._library, "sparseAttn" + name)
        except AttributeError:
            raise self._other_release(f"it has no sparseAttn{name}") from None
        function.argtypes = arguments
        function.restype = result
        self._functions[name] = function

    def get(self, name: str, *arguments: object) -> object:
        """Calls a function that cannot fail."""
        result: object = self._functions[name](*arguments)
        return result

    def get_int(self, name: str, *arguments: object) -> int:
        value = self.get(name, *arguments)
        return value if isinstance(value, int) else 0

    def get_text(self, name: str, *arguments: object) -> str:
        value = self.get(name, *arguments)
        return value.decode() if isinstance(value, bytes) else ""

    def call(self, name: str, *arguments: object) -> None:
        """Calls a function that returns a status."""
        status: int = self._functions[name](*arguments)
        if status != 0:
            # Of this thread: no other call comes between.
            raise make_error(status, self.get_text("GetLastError"))


_lock = threading.RLock()
_library: Library | None = None
_driver: c_void_p | None = None


def library() -> Library:
    """Opened when it is first needed, once a process."""
    global _library
    if _library is None:
        with _lock:
            if _library is None:
                _library = Library()
    return _library


def driver() -> c_void_p:
    """The CUDA driver: SPARSE_ATTN_LIBCUDA or libcuda.so.1. Opened when it is
    first needed; one that cannot be opened is tried again the next time."""
    global _driver
    if _driver is None:
        with _lock:
            if _driver is None:
                opened = c_void_p()
                library().call("DriverOpen", None, byref(opened))
                _driver = opened
    return _driver
