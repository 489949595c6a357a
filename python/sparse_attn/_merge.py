"""Attention over two disjoint sets of keys, from that over each."""

from __future__ import annotations

import torch

from ._specs import check_layout
from .errors import WrongDeviceError, WrongShapeError, WrongTypeError

_TYPES = (torch.float16, torch.bfloat16, torch.float32)


def merge(
    first: torch.Tensor,
    first_lse: torch.Tensor,
    second: torch.Tensor,
    second_lse: torch.Tensor,
    *,
    layout: str = "bhsd",
) -> tuple[torch.Tensor, torch.Tensor]:
    """Of results (O, LSE) of the same queries over disjoint keys those over all of
    these keys:

        LSE = ln(exp(LSE1) + exp(LSE2)),  O = O1 exp(LSE1 - LSE) + O2 exp(LSE2 - LSE)

    A prefix that many sequences share is attended to once that way. It is what
    ``sparse_attn.merge`` does in a compiled function.

    ``first``, ``second``: [B, Hq, Sq, Dv] in float16, bfloat16 or float32, both in one
    type, or [B, Sq, Hq, Dv] with ``layout="bshd"``; ``first_lse``, ``second_lse``:
    [B, Hq, Sq] in float32, natural logarithms. Returns O in the type and layout of
    ``first``, computed in float32, and LSE. Where an LSE is -inf (no live key) its
    output is not read; where both are, O = 0 and LSE = -inf. These are operations of
    PyTorch, so gradients, torch.compile and all devices work as for those.

    Raises WrongTypeError, WrongShapeError and WrongDeviceError for tensors that do not
    fit together, InvalidArgumentError for another layout.
    """
    check_layout(layout)
    _check(first, first_lse, second, second_lse, layout)
    larger = torch.maximum(first_lse, second_lse).detach()
    base = torch.where(torch.isneginf(larger), 0.0, larger)
    weights = [torch.exp(lse - base) for lse in (first_lse, second_lse)]
    total = weights[0] + weights[1]
    output = torch.zeros((), device=first.device)
    for part, lse, weight in zip((first, second), (first_lse, second_lse), weights):
        counts = ~torch.isneginf(lse)
        # Of 0 / 0 not even a gradient is to come.
        share = torch.where(counts, weight / torch.where(counts, total, 1.0), 0.0)
        if layout == "bshd":
            counts, share = counts.transpose(1, 2), share.transpose(1, 2)
        value = torch.where(counts[..., None], part.float(), 0.0)
        output = output + share[..., None] * value
    return output.to(first.dtype), base + torch.log(total)


def _check(
    first: torch.Tensor,
    first_lse: torch.Tensor,
    second: torch.Tensor,
    second_lse: torch.Tensor,
    layout: str,
) -> None:
    outputs = {"first": first, "second": second}
    lses = {"first_lse": first_lse, "second_lse": second_lse}
    for name, tensor in {**outputs, **lses}.items():
        if not isinstance(tensor, torch.Tensor):
            raise WrongTypeError(
                f"'{name}' is a {type(tensor).__name__}; give a tensor of PyTorch"
            )
        if tensor.device != first.device:
            raise WrongDeviceError(
                f"'{name}' is on {tensor.device} and 'first' on {first.device}; move "
                "them to one device"
            )
    for name, tensor in outputs.items():
        if tensor.dtype not in _TYPES or tensor.dtype != first.dtype:
            raise WrongTypeError(
                f"'{name}' is of {tensor.dtype}; both outputs must be float16, bfloat16 "
                "or float32, and of one type"
            )
        if tensor.dim() != 4 or tensor.shape != first.shape:
            raise WrongShapeError(
                f"'{name}' is {tuple(tensor.shape)}; both outputs must have one shape "
                "(batch, heads, queries, value head size), in the order of the layout"
            )
    rows = first.transpose(1, 2) if layout == "bshd" else first
    for name, tensor in lses.items():
        if tensor.dtype != torch.float32:
            raise WrongTypeError(f"'{name}' is of {tensor.dtype}; it must be float32")
        if tensor.shape != rows.shape[:3]:
            raise WrongShapeError(
                f"'{name}' is {tuple(tensor.shape)}; outputs of {tuple(first.shape)} in "
                f"layout '{layout}' have {tuple(rows.shape[:3])} (batch, heads, queries)"
            )
