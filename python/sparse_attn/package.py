"""Packages: directories of functions."""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import Iterator, Mapping
from ctypes import byref, c_void_p
from functools import partial
from typing import Any

from ._library import library
from ._specs import advise_layout, check_layout, on_one_line
from ._views import CTensors, View, view
from .errors import (
    AmbiguousError,
    ChangedPackageError,
    InvalidArgumentError,
    NotFoundError,
    SparseAttnError,
)
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
        path = os.fsencode(self.directory)
        if b"\0" in path:
            raise InvalidArgumentError(
                f"{self.directory!r} has a NUL character, which no path can have"
            )
        self._lock = threading.RLock()
        lib = library()
        handle = c_void_p()
        lib.call("PackageOpen", path, byref(handle))
        self._handle = handle
        # What pickles name: the working directory may change.
        self._path = os.path.abspath(self.directory)
        self._sha256 = lib.get_text("PackageGetSha256", handle)
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

    @property
    def is_open(self) -> bool:
        """Whether it can be called: ``close`` was not."""
        return self._finalizer.alive

    def is_same(self, other: Package) -> bool:
        """Whether it was loaded from the same directory with the same contents."""
        return (self._path, self._sha256) == (other._path, other._sha256)

    def __copy__(self) -> Package:
        return self

    def __deepcopy__(self, memo: object) -> Package:
        """The same package: nothing of it changes but that it is closed."""
        return self

    def __reduce__(self) -> Any:
        """As where it is, and the SHA-256 of what it was."""
        return (_load_again, (self._path, self._sha256))

    def __repr__(self) -> str:
        names = ", ".join(map(on_one_line, self))
        return f"<sparse_attn.Package {self.directory!r}: {names}>"

    def find(self, *tensors: Any, layout: str = "bhsd") -> Function:
        """The function that takes tensors of these types and shapes; of several the
        one that takes fewer than each of the others, as where its sizes are fixed.

        Raises NotFoundError, which says of each function why it is not the one, and
        AmbiguousError where several are and none takes fewer than the others.
        """
        check_layout(layout)
        views = [view(tensor, f"argument {i}") for i, tensor in enumerate(tensors)]
        self._check_open()
        ask = partial(self._ask_for_function, views)
        try:
            with advise_layout(layout, NotFoundError, ask):
                return self._by_handle[ask(layout)]
        except AmbiguousError as error:
            raise AmbiguousError(f"{error}, as package[name](...)") from None

    def _ask_for_function(self, views: list[View], layout: str) -> int:
        found = c_void_p()
        library().call(
            "PackageFindFunction",
            self._handle,
            CTensors(views, layout),
            len(views),
            byref(found),
        )
        return found.value or 0

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
        if not self.is_open:
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
        self._check_open()
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


def _load_again(path: str, sha256: str) -> Package:
    """What a pickled package was."""
    advice = "put the package back that was there when it was pickled"
    try:
        package = Package(path)
    except SparseAttnError as error:
        text = f"a pickled package cannot be loaded: {error}; or {advice}"
        raised = type(error)(text)
        raised.status = error.status
        raise raised from None
    if package._sha256 != sha256:
        found = package._sha256
        package.close()
        raise ChangedPackageError(
            f"the package in {path} has changed since it was pickled: the SHA-256 of "
            f"its manifest.json is {found}, it was {sha256}; {advice}, or load the "
            "new one with sparse_attn.load and pickle anew"
        )
    return package
