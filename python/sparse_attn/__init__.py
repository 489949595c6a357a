"""Sparse attention from packages that sparse-attn-compile has written.

    import sparse_attn

    package = sparse_attn.load("package")
    o = package(q, k, v)                  # the function for these types and shapes
    o, lse = package["longformer"](q, k, v, layout="bshd")

``sparse_attn.torch`` makes PyTorch operators of functions. docs/Python.md is the
manual.
"""

from ._arrays import Array
from .errors import (
    AmbiguousError,
    ChangedPackageError,
    CorruptPackageError,
    DriverError,
    InvalidArgumentError,
    InvalidCodeError,
    MisalignedError,
    NoBackwardError,
    NoDeviceError,
    NoDriverError,
    NotFoundError,
    OldDriverError,
    OutOfMemoryError,
    PackageFileError,
    RuntimeLibraryError,
    SmallWorkspaceError,
    SparseAttnError,
    TooLargeError,
    UnknownSchemaError,
    WrongChipError,
    WrongDeviceError,
    WrongShapeError,
    WrongStridesError,
    WrongTypeError,
)
from ._specs import TensorSpec
from .function import Function
from .package import Package, load

__version__ = "0.1.0"

__all__ = [
    "AmbiguousError",
    "Array",
    "ChangedPackageError",
    "CorruptPackageError",
    "DriverError",
    "Function",
    "InvalidArgumentError",
    "InvalidCodeError",
    "MisalignedError",
    "NoBackwardError",
    "NoDeviceError",
    "NoDriverError",
    "NotFoundError",
    "OldDriverError",
    "OutOfMemoryError",
    "Package",
    "PackageFileError",
    "RuntimeLibraryError",
    "SmallWorkspaceError",
    "SparseAttnError",
    "TensorSpec",
    "TooLargeError",
    "UnknownSchemaError",
    "WrongChipError",
    "WrongDeviceError",
    "WrongShapeError",
    "WrongStridesError",
    "WrongTypeError",
    "load",
]
