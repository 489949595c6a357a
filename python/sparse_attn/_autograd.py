"""PyTorch's derivatives: there are none, which must not look as if they were zero.

Results of tensors that require a gradient have a node in the graph whose backward
pass raises, so that forward passes run with gradients on. Forward-mode derivatives,
which are computed with the results, raise at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NoReturn

import torch
from torch.autograd import forward_ad

from ._views import is_torch
from .errors import NoBackwardError


def raise_no_backward(name: str, reason: str = "") -> NoReturn:
    raise NoBackwardError(
        f"{name} has no backward pass yet{reason}; call it under torch.no_grad(), or "
        "give it tensor.detach()"
    )


def raise_no_forward_mode(name: str) -> NoReturn:
    # That torch.no_grad() does not turn off.
    raise NoBackwardError(
        f"{name} has no forward-mode derivative yet; give it tensor.detach()"
    )


def requires_gradient(tensors: Iterable[Any]) -> bool:
    """Some may be of other frameworks."""
    if not torch.is_grad_enabled():
        return False
    # A loop, as a generator takes longer than what it does.
    for tensor in tensors:
        if isinstance(tensor, torch.Tensor) and tensor.requires_grad:
            return True
    return False


def has_tangent(tensors: Iterable[Any]) -> bool:
    """Whether forward-mode derivatives are asked of any."""
    return forward_ad._current_level >= 0 and any(
        is_torch(tensor) and _get_tangent(tensor) is not None for tensor in tensors
    )


def _get_tangent(tensor: Any) -> Any:
    return forward_ad.unpack_dual(tensor).tangent  # type: ignore[no-untyped-call]


class WithoutDerivative(torch.autograd.Function):
    """``call(compute, name, *tensors)`` computes, and raises where a derivative is
    asked for."""

    @classmethod
    def call(cls, compute: Callable[..., Any], name: str, *tensors: Any) -> Any:
        # The transforms of torch.func have their gradients at once.
        if torch._C._are_functorch_transforms_active():
            raise_no_backward(name)
        return cls.apply(compute, name, *tensors)  # type: ignore[no-untyped-call]

    @staticmethod
    def forward(
        context: Any, compute: Callable[..., Any], name: str, *tensors: Any
    ) -> Any:
        # Nothing is kept for a backward pass.
        context.name = name
        return compute(*tensors)

    @staticmethod
    def backward(context: Any, *gradients: Any) -> Any:
        raise_no_backward(context.name)


def call(
    compute: Callable[..., Any], name: str, tensors: Sequence[Any], written: Sequence[Any]
) -> Any:
    """``compute(*tensors)``, whose results say that they have no derivative when one
    is asked for; at once where they cannot. ``written``: tensors among those, and
    others, that results are written to."""
    given = [*tensors, *written]
    if has_tangent(given):
        raise_no_forward_mode(name)
    if not requires_gradient(given):
        return compute(*tensors)
    if written:
        raise_no_backward(
            name, ", and what is written to a tensor that was given cannot say so later"
        )
    if not is_torch(tensors[0]):
        raise_no_backward(
            name, ", and results of argument 0's framework cannot say so later"
        )
    return WithoutDerivative.call(compute, name, *tensors)
