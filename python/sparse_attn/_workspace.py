"""The scratch memory of a call."""

from __future__ import annotations

import math
from typing import Any

from ._frameworks import Framework
from ._library import HOST
from ._results import check_writable, raise_no_memory
from ._specs import device_name
from ._views import TYPE_BYTES, View, view
from .errors import InvalidArgumentError, WrongDeviceError, WrongStridesError


def take_workspace(name: str, workspace: Any, device: int) -> tuple[int, int, Any]:
    """Address, size in bytes and owner of the caller's."""
    found = view(workspace, name)
    if found.device != device:
        raise WrongDeviceError(
            f"{name} is on {device_name(found.device)}, the arguments on "
            f"{device_name(device)}; bring all to one device"
        )
    check_writable(name, found)
    if not _is_dense(found):
        raise WrongStridesError(f"{name} has gaps; give one without")
    size = math.prod(found.shape) * TYPE_BYTES[found.type]
    if device == HOST and size:
        raise InvalidArgumentError(
            f"{name} has {size} bytes, and functions need none on the CPU; leave it out"
        )
    return found.data, size, workspace


def _is_dense(found: View) -> bool:
    dense = 1
    for size, stride in zip(reversed(found.shape), reversed(found.strides or ())):
        if size > 1 and stride != dense:
            return False
        dense *= size
    return True


def make_workspace(
    name: str, size: int, device: int, framework: Framework
) -> tuple[int, int, Any]:
    """The same of new memory, which the runtime gets itself where this is none."""
    if size == 0:
        return 0, 0, None
    try:
        address, owner = framework.scratch(size, device)
    except Exception as error:
        if framework.is_out_of_memory(error, device):
            raise_no_memory(name, size, device)
        raise
    return address, size, owner
