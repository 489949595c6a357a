"""The scratch memory of a call."""

from __future__ import annotations

import math
from typing import Any

from ._frameworks import Framework
from ._results import check_writable
from ._specs import device_name
from ._views import TYPE_BYTES, View, view
from .errors import WrongDeviceError, WrongStridesError


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
    return found.data, math.prod(found.shape) * TYPE_BYTES[found.type], workspace


def _is_dense(found: View) -> bool:
    dense = 1
    for size, stride in zip(reversed(found.shape), reversed(found.strides or ())):
        if size > 1 and stride != dense:
            return False
        dense *= size
    return True


def make_workspace(size: int, device: int, framework: Framework) -> tuple[int, int, Any]:
    """The same of new memory, which the runtime gets itself where this is none."""
    if size == 0:
        return 0, 0, None
    address, owner = framework.scratch(size, device)
    return address, size, owner
