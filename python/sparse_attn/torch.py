"""PyTorch operators from functions of packages.

    import sparse_attn, sparse_attn.torch

    package = sparse_attn.load("package")
    attend = sparse_attn.torch.register(package["longformer"])

    @torch.compile(fullgraph=True)
    def layer(q, k, v):
        return attend(q, k, v)
"""

from __future__ import annotations

import itertools
import re
import threading
from collections.abc import Callable
from typing import Any

try:
    import torch
except ImportError as error:
    raise ImportError(
        "sparse_attn.torch needs PyTorch 2.4 or later; the rest of sparse_attn works "
        "without it"
    ) from error

from ._formula import evaluate
from ._specs import TensorSpec, check_layout
from ._views import TYPES, torch_type
from .errors import (
    InvalidArgumentError,
    NoBackwardError,
    WrongShapeError,
    WrongTypeError,
)
from .function import Function

_NO_BACKWARD = (
    "the operator {name} has no backward pass yet; call it under torch.no_grad(), or "
    "give it tensor.detach()"
)
_DTYPES = {
    text: getattr(torch, text.replace("f", "float").replace("i", "int"))
    for text in TYPES
}

_lock = threading.Lock()
_registered: dict[str, tuple[Function, str, Callable[..., Any]]] = {}


def register(
    function: Function, name: str | None = None, *, layout: str = "bhsd"
) -> Callable[..., Any]:
    """A PyTorch operator that computes ``function``, known to torch.compile and
    torch.export, on every device that the function has code for.

    ``name``: "namespace::operator", by default "sparse_attn::", the function's name,
    and a number where that name is taken. ``layout``: as in ``Function.__call__``.

    Returns a callable that takes the function's tensors and returns its result, or a
    tuple of several. New results are dense in that layout. It raises what
    ``Function.__call__`` does. A gradient through it raises NoBackwardError in the
    backward pass; through a function that writes its result into an argument, at
    once.

    Raises InvalidArgumentError where the name is taken by another function.
    """
    check_layout(layout)
    if name is not None and not re.fullmatch(r"[A-Za-z_]\w*::[A-Za-z_]\w*", name):
        raise InvalidArgumentError(
            f"{name!r} is no operator's name; give one such as "
            "'my_library::longformer'"
        )
    with _lock:
        for known in _registered if name is None else [name]:
            if known in _registered and _registered[known][:2] == (function, layout):
                return _registered[known][2]
        if name in _registered:
            raise InvalidArgumentError(
                f"there is an operator {name} already, of another function or layout; "
                "give another name"
            )
        if name is None:
            name = _find_free_name(function)
        operator = _Operator(function, name, layout)
        _registered[name] = (function, layout, operator)
        return operator


def _find_free_name(function: Function) -> str:
    base = "sparse_attn::" + re.sub(r"\W", "_", function.name)
    names = itertools.chain([base], (f"{base}_{i}" for i in itertools.count(2)))
    return next(name for name in names if name not in _registered)


class _Operator:
    """The operator's definition, and the calling of it."""

    def __init__(self, function: Function, name: str, layout: str) -> None:
        self.function = function
        self.name = name
        self.layout = layout
        results = function.results
        # An operator never returns what it was given.
        self._new = [
            i
            for i, spec in enumerate(results)
            if spec.in_argument is None and spec.in_result is None
        ]
        self._written = {
            spec.in_argument for spec in results if spec.in_argument is not None
        }
        self._define()

    def _define(self) -> None:
        operator = torch.library.custom_op(
            self.name,
            self._run,
            mutates_args=[f"argument{i}" for i in sorted(self._written)],
            schema=self._make_schema(),
        )
        operator.register_fake(self._make_fake)
        if not self._written:
            operator.register_autograd(self._backward)
        self._operator = operator

    def _make_schema(self) -> str:
        arguments = [
            f"Tensor(a{i}!) argument{i}" if i in self._written else f"Tensor argument{i}"
            for i in range(len(self.function.arguments))
        ]
        results = ["Tensor"] * len(self._new)
        text = results[0] if len(results) == 1 else f"({', '.join(results)})"
        return f"({', '.join(arguments)}) -> {text}"

    def _pick_new(self, results: list[Any]) -> Any:
        new = [results[i] for i in self._new]
        if len(new) == 1:
            return new[0]
        return tuple(new) if new else None

    def _run(self, *tensors: torch.Tensor) -> Any:
        results = self.function(*tensors, layout=self.layout)
        listed = [results] if len(self.function.results) == 1 else list(results)
        return self._pick_new(listed)

    def _make_fake(self, *tensors: torch.Tensor) -> Any:
        sizes: dict[str, Any] = {}
        for i, (spec, tensor) in enumerate(zip(self.function.arguments, tensors)):
            self._check_fake(i, spec, tensor)
            for text, size in zip(spec.shape, self._in_order(spec, tensor.shape)):
                if isinstance(text, str):
                    sizes.setdefault(text, size)
        results = []
        for spec in self.function.results:
            shape = [evaluate(size, sizes) for size in spec.shape]
            results.append(
                tensors[0].new_empty(
                    self._in_order(spec, shape), dtype=_DTYPES[spec.type]
                )
            )
        return self._pick_new(results)

    def _in_order(self, spec: TensorSpec, shape: Any) -> list[Any]:
        """From the layout of the tensors to the function's, and back."""
        sizes = list(shape)
        if self.layout == "bshd" and spec.has_heads:
            sizes[1], sizes[2] = sizes[2], sizes[1]
        return sizes

    def _check_fake(self, index: int, spec: TensorSpec, tensor: torch.Tensor) -> None:
        name = f"argument {index} of '{self.function.name}'"
        if torch_type(tensor.dtype) != TYPES.index(spec.type):
            raise WrongTypeError(
                f"{name} has elements of {tensor.dtype}, expected {spec.type}"
            )
        if tensor.dim() != len(spec.shape):
            raise WrongShapeError(
                f"{name} has rank {tensor.dim()}, expected the shape "
                f"{list(spec.shape)}"
            )

    def _backward(self, context: Any, *gradients: Any) -> Any:
        raise NoBackwardError(_NO_BACKWARD.format(name=self.name))

    def __repr__(self) -> str:
        return f"<operator {self.name} of {self.function!r}>"

    def __call__(self, *tensors: torch.Tensor) -> Any:
        if len(tensors) != len(self.function.arguments):
            raise InvalidArgumentError(
                f"{self.name} takes {len(self.function.arguments)} tensors, "
                f"{len(tensors)} were given"
            )
        if self._written and torch.is_grad_enabled():
            if any(tensor.requires_grad for tensor in tensors):
                raise NoBackwardError(_NO_BACKWARD.format(name=self.name))
        new = self._operator(*tensors)
        if len(self._new) == len(self.function.results):
            return new
        fresh = iter(new if len(self._new) > 1 else [new])
        results: list[Any] = []
        for spec in self.function.results:
            if spec.in_argument is not None:
                results.append(tensors[spec.in_argument])
            elif spec.in_result is not None:
                results.append(results[spec.in_result])
            else:
                results.append(next(fresh))
        return results[0] if len(results) == 1 else tuple(results)
