"""What functions take and give, and whether tensors are of that kind."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from ._library import HOST, TensorInfo
from ._views import TYPES, View
from .errors import InvalidArgumentError, SparseAttnError, WrongDeviceError

LAYOUTS = ("bhsd", "bshd")
# Of which `layout` speaks.
_HEADED = frozenset({"query", "key", "value", "output"})


@dataclass(frozen=True)
class TensorSpec:
    """A tensor that a function takes or gives."""

    type: str
    """ "f16", "bf16", "f32", ..."""
    shape: tuple[int | str, ...]
    """Sizes; formulas such as "Sq" where they are known at run time only."""
    roles: tuple[str, ...]
    """Of "query", "key", "value", "output" and "lse"."""
    in_argument: int | None = None
    """Of a result: the argument that it is written to."""
    in_result: int | None = None
    """Of a result: the earlier result that it is the same tensor as."""

    @property
    def has_heads(self) -> bool:
        """Whether ``layout`` says how its dimensions are ordered."""
        return len(self.shape) == 4 and not _HEADED.isdisjoint(self.roles)

    def print_roles(self) -> str:
        return f" ({', '.join(self.roles)})" if self.roles else ""

    def in_order(self, sizes: Sequence[Any], layout: str) -> list[Any]:
        """One for each dimension, from the function's order to the layout's or
        back."""
        ordered = list(sizes)
        if layout == "bshd" and self.has_heads and len(ordered) == 4:
            ordered[1], ordered[2] = ordered[2], ordered[1]
        return ordered


def read_spec(info: TensorInfo) -> TensorSpec:
    sizes = []
    for i in range(info.rank):
        fixed = info.shape[i]
        sizes.append(fixed if fixed >= 0 else info.sizes[i].decode())
    return TensorSpec(
        TYPES[info.type],
        tuple(sizes),
        tuple(info.roles[i].decode() for i in range(info.num_roles)),
        info.in_argument if info.in_argument >= 0 else None,
        info.in_result if info.in_result >= 0 else None,
    )


def check_layout(layout: str) -> None:
    if layout not in LAYOUTS:
        raise InvalidArgumentError(
            f"unknown layout {layout!r}; use 'bhsd' or 'bshd' (batch, heads, "
            "sequence, head size)"
        )


@contextmanager
def advise_layout(
    layout: str, kind: type[SparseAttnError], ask: Callable[[str], object]
) -> Iterator[None]:
    """Adds to an error of this kind that the other layout has none, where
    ``ask(layout)`` raises none for it."""
    try:
        yield
    except kind as error:
        other = LAYOUTS[1 - LAYOUTS.index(layout)]
        try:
            ask(other)
        except SparseAttnError:
            raise error from None
        advised = kind(f"{error}. With layout={other!r} these shapes fit")
        advised.status = error.status
        raise advised from None


def on_one_line(name: str) -> str:
    """A function's name without quotes, its control characters as escapes."""
    return repr(name)[1:-1]


def device_name(device: int) -> str:
    return "the CPU" if device == HOST else f"GPU {device}"


def common_device(views: list[View]) -> int:
    device = views[0].device if views else HOST
    for i, other in enumerate(views):
        if other.device != device:
            raise WrongDeviceError(
                f"argument {i} is on {device_name(other.device)}, argument 0 on "
                f"{device_name(device)}; bring all to one device"
            )
    return device
