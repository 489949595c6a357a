"""What can go wrong, one class for each status of the runtime library."""

from __future__ import annotations


class SparseAttnError(Exception):
    """Base of all errors of this package.

    ``status`` is the runtime library's code (``SparseAttnStatus``), and ``None``
    where the error was found before the library was asked.
    """

    status: int | None = None

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message

    # KeyError would show the message in quotes.
    def __str__(self) -> str:
        return self.message


class InvalidArgumentError(SparseAttnError, ValueError):
    """A number of tensors, an index or an option that a function does not have."""

    status = 1


class PackageFileError(SparseAttnError, OSError):
    """A file of a package is missing or cannot be read."""

    status = 2


class CorruptPackageError(SparseAttnError, ValueError):
    """A package is not what the compiler has written."""

    status = 3


class UnknownSchemaError(SparseAttnError, ValueError):
    """A package of another release."""

    status = 4


class NotFoundError(SparseAttnError, KeyError):
    """The package has no such function, or none for these tensors."""

    status = 5


class AmbiguousError(SparseAttnError, LookupError):
    """Several functions of the package take these tensors."""

    status = 20


class WrongTypeError(SparseAttnError, TypeError):
    """Something that is not a tensor, or whose elements are of another type."""

    status = 6


class WrongShapeError(SparseAttnError, ValueError):
    """A shape that the function does not take, or shapes that do not fit."""

    status = 7


class WrongStridesError(SparseAttnError, ValueError):
    """Strides that the kernels cannot read. Nothing is ever copied in silence."""

    status = 8


class MisalignedError(SparseAttnError, ValueError):
    """An address that is not the multiple that the kernels need."""

    status = 9


class TooLargeError(SparseAttnError, ValueError):
    """Sizes that no launch can have."""

    status = 10


class WrongDeviceError(SparseAttnError, ValueError):
    """Tensors of several devices, or of one where kernels cannot run."""

    status = 11


class SmallWorkspaceError(SparseAttnError, ValueError):
    """A workspace of fewer bytes than ``Function.workspace_bytes`` says."""

    status = 12


class DriverError(SparseAttnError, RuntimeError):
    """The CUDA driver has failed."""

    status = 19


class NoDriverError(DriverError):
    """There is no CUDA driver on this machine."""

    status = 13


class OldDriverError(DriverError):
    """The driver is older than the code."""

    status = 14


class NoDeviceError(DriverError):
    """There is no such GPU."""

    status = 15


class WrongChipError(SparseAttnError, RuntimeError):
    """The package has no code for this GPU or this processor."""

    status = 16


class InvalidCodeError(SparseAttnError, RuntimeError):
    """The driver, or the system's loader, refuses the code."""

    status = 17


class OutOfMemoryError(SparseAttnError, MemoryError):
    """The device or the host has no memory left."""

    status = 18


class RuntimeLibraryError(SparseAttnError, ImportError):
    """libSparseAttnRuntime.so is missing, or is of another release."""


class ChangedPackageError(SparseAttnError, ValueError):
    """What was pickled is of a package that is another one now."""


class NoBackwardError(SparseAttnError, NotImplementedError):
    """A derivative is asked for, and there is none yet, neither backward nor
    forward."""


_CLASSES: dict[int, type[SparseAttnError]] = {
    error.status: error
    for error in (
        InvalidArgumentError,
        PackageFileError,
        CorruptPackageError,
        UnknownSchemaError,
        NotFoundError,
        AmbiguousError,
        WrongTypeError,
        WrongShapeError,
        WrongStridesError,
        MisalignedError,
        TooLargeError,
        WrongDeviceError,
        SmallWorkspaceError,
        NoDriverError,
        OldDriverError,
        NoDeviceError,
        WrongChipError,
        InvalidCodeError,
        OutOfMemoryError,
        DriverError,
    )
    if error.status is not None
}


def make_error(status: int, message: str) -> SparseAttnError:
    """The exception for a status of the runtime library."""
    error = _CLASSES.get(status, SparseAttnError)(message)
    error.status = status
    return error
