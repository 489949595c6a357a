"""Where the results of a call go."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NoReturn

from ._frameworks import Framework
from ._specs import device_name
from ._views import TYPE_BYTES, TYPES, View, view, view_new
from .errors import (
    InvalidArgumentError,
    OutOfMemoryError,
    TooLargeError,
    WrongDeviceError,
)

if TYPE_CHECKING:
    from .function import Function


def split_out(function: Function, out: Any) -> list[Any]:
    """One for each result, None where it is to be made."""
    count = len(function.results)
    if out is None:
        return [None] * count
    given = list(out) if isinstance(out, (tuple, list)) else [out]
    if len(given) != count:
        raise InvalidArgumentError(
            f"{function.name!r} has {count} results, `out` has {len(given)} tensors; "
            "give one for each, and None for those that are to be made"
        )
    return given


def make_results(
    function: Function,
    tensors: Sequence[Any],
    views: list[View],
    out: Any,
    layout: str,
    framework: Framework,
) -> tuple[list[Any], list[View]]:
    """What the call returns, and the same as views."""
    shapes = function._get_result_shapes(views, layout)
    given = split_out(function, out)
    returned: list[Any] = []
    results: list[View] = []
    for i, spec in enumerate(function.results):
        name = function._result_names[i]
        if spec.in_argument is not None:
            known, seen, place = tensors, views, spec.in_argument
        elif spec.in_result is not None:
            known, seen, place = returned, results, spec.in_result
        else:
            tensor = given[i]
            if tensor is None:
                number = TYPES.index(spec.type)
                tensor = make_tensor(name, shapes[i], number, views[0], framework)
                found = view_new(tensor, name, views[0], number)
            else:
                found = _view_result(name, tensor, views[0].device)
            returned.append(tensor)
            results.append(found)
            continue
        if given[i] is not None and given[i] is not known[place]:
            raise InvalidArgumentError(
                f"{name} is written to "
                f"{'argument' if known is tensors else 'result'} {place}; "
                "leave it out of `out`"
            )
        check_writable(f"{name}, which is argument {place},", seen[place])
        returned.append(known[place])
        results.append(seen[place])
    return returned, results


def make_tensor(
    name: str, shape: tuple[int, ...], type: int, like: View, framework: Framework
) -> Any:
    """A new tensor on the device of ``like``.

    Raises TooLargeError and OutOfMemoryError.
    """
    try:
        return framework.empty(shape, type, like)
    except Exception as error:
        size = math.prod(shape) * TYPE_BYTES[type]
        if size >= 2**63:
            raise TooLargeError(
                f"{name} would have the shape {shape}, whose {size} bytes do not fit "
                "63 bits; give smaller tensors"
            ) from None
        if framework.is_out_of_memory(error, like.device):
            raise_no_memory(f"{name}, of the shape {shape}", size, like.device)
        raise


def raise_no_memory(what: str, size: int, device: int) -> NoReturn:
    raise OutOfMemoryError(
        f"{device_name(device)} has no {size} bytes for {what}; free some, or give "
        "smaller tensors"
    )


def check_writable(name: str, found: View) -> None:
    if found.read_only:
        raise InvalidArgumentError(
            f"{name} is read-only, as arrays of JAX and TensorFlow always are; give "
            "one to write to"
        )


def _view_result(name: str, tensor: Any, device: int) -> View:
    found = view(tensor, name, None)
    if found.device != device:
        raise WrongDeviceError(
            f"{name} is on {device_name(found.device)}, the arguments on "
            f"{device_name(device)}; bring all to one device"
        )
    check_writable(name, found)
    return found
