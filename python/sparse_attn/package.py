"""Packages: directories of functions."""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import Iterator, Mapping
from ctypes import byref, c_void_p
from typing import Any

from ._library import library
from ._specs import check_layout
from ._views import CTensors, view
from .errors import InvalidArgumentError, NotFoundError
from .function import Function


class Package(Mapping[str, Function]):
    """The functions of a directory that sparse-attn-compile has written, by name.

    ``package["name"](q, k, v)`` calls one of them; ``package(q, k, v)`` the one that
    takes tensors of these types and shapes. Packages may be used from any number
    of threads at a time.
    """

    def __init__(self, directory: str | os.PathLike[str]) -> None:
        """See ``load``."""
        self.directory = os.fspath(directory)
        self._lock = threading.RLock()
        lib = library()
        handle = c_void_p()
        lib.call("PackageOpen", os.fsencode(self.directory), byref(handle))
        self._handle = handle
        self._finalizer = weakref.finalize(self, lib.get, "PackageClose", handle)
        self._finalizer.atexit = False
        self._functions: dict[str, Function] = {}
        self._by_handle: dict[int, Function] = {}
        for i in range(lib.get_int("PackageGetNumFunctions", handle)):
            address = lib.get_int("PackageGetFunction", handle, i)
            function = Function(self, address)
            self._functions[function.name] = function
            self._by_handle[address] = function

    def __getitem__(self, name: str) -> Function:
        function = self._functions.get(name)
        if function is None:
            names = ", ".join(repr(n) for n in self._functions) or "none"
            raise NotFoundError(f"the package has no function {name!r}; it has {names}")
        return function

    def __iter__(self) -> Iterator[str]:
        return iter(self._functions)

    def __len__(self) -> int:
        return len(self._functions)

    def __repr__(self) -> str:
        return f"<sparse_attn.Package {self.directory!r}: {', '.join(self)}>"

    def find(self, *tensors: Any, layout: str = "bhsd") -> Function:
        """The function that takes tensors of these types and shapes; of several the
        one with the fewest sizes that are known at run time only.

        Raises NotFoundError, which says of each function why it is not the one.
        """
        check_layout(layout)
        views = [view(tensor, f"argument {i}") for i, tensor in enumerate(tensors)]
        if layout == "bshd":
            views = [v.transposed() if len(v.shape) == 4 else v for v in views]
        self._check_open()
        found = c_void_p()
        library().call(
            "PackageFindFunction", self._handle, CTensors(views), len(views), byref(found)
        )
        return self._by_handle[found.value or 0]

    def __call__(
        self,
        *tensors: Any,
        out: Any = None,
        workspace: Any = None,
        stream: int | None = None,
        layout: str = "bhsd",
    ) -> Any:
        """Calls the function that ``find`` finds; see ``Function.__call__``."""
        function = self.find(*tensors, layout=layout)
        return function(
            *tensors, out=out, workspace=workspace, stream=stream, layout=layout
        )

    def _check_open(self) -> None:
        if not self._finalizer.alive:
            raise InvalidArgumentError("the package is closed; load it again")

    def close(self) -> None:
        """Unloads all code; the package cannot be called afterwards. Wait for what
        was launched before, and call nothing meanwhile. Without it, code stays
        loaded until the process ends.
        """
        with self._lock:
            for function in self._functions.values():
                function._unload()
            self._finalizer()

    def __enter__(self) -> Package:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()


def load(directory: str | os.PathLike[str]) -> Package:
    """Opens a package. All files are read and their SHA-256 checked; a GPU is not
    needed yet.

    Raises PackageFileError, CorruptPackageError, UnknownSchemaError, and
    RuntimeLibraryError where the runtime library is not found.
    """
    return Package(directory)
