"""One PyTorch operator of a function."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch

from ._autograd import (
    WithoutDerivative,
    has_tangent,
    raise_no_backward,
    raise_no_forward_mode,
    requires_gradient,
)
from ._formula import evaluate
from ._library import HOST
from ._specs import TensorSpec
from ._views import TYPES, View, torch_type
from .errors import InvalidArgumentError, WrongShapeError, WrongTypeError
from .function import Function

_DTYPES = {
    text: getattr(torch, text.replace("f", "float").replace("i", "int"))
    for text in TYPES
}


@torch.library.custom_op(
    "sparse_attn_internal::no_backward",
    mutates_args=(),
    schema="(Tensor gradient, str name, SymInt[] size, ScalarType dtype) -> Tensor",
)
def _no_backward(gradient: Any, name: str, size: Any, dtype: Any) -> torch.Tensor:
    raise_no_backward(name)


@_no_backward.register_fake
def _(gradient: Any, name: str, size: Any, dtype: Any) -> torch.Tensor:
    return torch.empty(size, dtype=dtype, device=gradient.device)


class _Traceable(WithoutDerivative):
    """Its backward pass is one that torch.compile, which traces backward passes
    ahead of time, finds nothing wrong with until it is run."""

    @staticmethod
    def forward(
        context: Any, compute: Callable[..., Any], name: str, *tensors: Any
    ) -> Any:
        context.kinds = [(tuple(tensor.shape), tensor.dtype) for tensor in tensors]
        return WithoutDerivative.forward(context, compute, name, *tensors)

    @staticmethod
    def backward(context: Any, *gradients: Any) -> Any:
        return (None, None) + tuple(
            _no_backward(gradients[0], context.name, *kind) if needed else None
            for kind, needed in zip(context.kinds, context.needs_input_grad[2:])
        )


def _require_equal(name: str, text: int | str, size: Any, expected: Any) -> None:
    """Checks a size that may be a symbol, of which it becomes a fact then."""
    message = f"{name} has a size of {size} for {text}, expected {expected}"
    # PyTorch has no types for it.
    check: Any = torch._check
    try:
        check(size == expected, lambda: message)
    except RuntimeError as error:
        raise WrongShapeError(message) from error


class Operator:
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
        # Not by torch.library.custom_op, whose operators drop tangents in silence.
        namespace, name = self.name.split("::")
        # PyTorch has no types for it.
        library: Any = torch.library
        self._library = library.Library(namespace, "FRAGMENT")
        self._library.define(
            name + self._make_schema(), tags=(torch.Tag.pt2_compliant_tag,)
        )
        self._operator = getattr(getattr(torch.ops, namespace), name).default
        self._library.impl(name, self._run, "CompositeExplicitAutograd")
        self._library.impl(name, self._differentiate, "Autograd")
        library.register_fake(self.name, self._make_fake, lib=self._library)

    def _differentiate(self, *tensors: torch.Tensor) -> Any:
        name = f"the operator {self.name}"
        if has_tangent(tensors):
            raise_no_forward_mode(name)
        if not requires_gradient(tensors):
            return self._run_below(*tensors)
        if self._written:
            raise_no_backward(
                name, ", and what is written to an argument cannot say so later"
            )
        return _Traceable.call(self._run_below, name, *tensors)

    def _run_below(self, *tensors: torch.Tensor) -> Any:
        with torch._C._AutoDispatchBelowAutograd():
            results = self._operator(*tensors)
        for i in self._written:
            torch.autograd.graph.increment_version(tensors[i])
        return results

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
        for i, (spec, tensor) in enumerate(zip(self.function.arguments, tensors)):
            self._check_fake(i, spec, tensor)
        shapes = [tuple(tensor.shape) for tensor in tensors]
        result_shapes: Sequence[Sequence[Any]]
        if all(type(size) is int for shape in shapes for size in shape):
            result_shapes = self._ask_for_shapes(shapes)
        else:
            result_shapes = self._trace_shapes(shapes)
        return self._pick_new(
            [
                tensors[0].new_empty(shape, dtype=_DTYPES[spec.type])
                for spec, shape in zip(self.function.results, result_shapes)
            ]
        )

    def _ask_for_shapes(self, shapes: list[tuple[int, ...]]) -> list[tuple[int, ...]]:
        """Of the results, after all checks of shapes that a call makes."""
        views = [
            View(0, TYPES.index(spec.type), shape, None, HOST, None)
            for spec, shape in zip(self.function.arguments, shapes)
        ]
        return self.function.get_result_shapes(views, self.layout)

    def _trace_shapes(self, shapes: list[tuple[Any, ...]]) -> list[list[Any]]:
        """The same where sizes are symbols: one size for each name, and what is
        fixed. Whether they fit together otherwise shows when a call has numbers."""
        sizes: dict[str, Any] = {}
        for i, (spec, shape) in enumerate(zip(self.function.arguments, shapes)):
            name = f"argument {i} of {self.function.name!r}"
            for text, size in zip(spec.shape, spec.in_order(shape, self.layout)):
                expected = (
                    sizes.setdefault(text, size) if isinstance(text, str) else text
                )
                _require_equal(name, text, size, expected)
        return [
            spec.in_order([evaluate(size, sizes) for size in spec.shape], self.layout)
            for spec in self.function.results
        ]

    def _check_fake(self, index: int, spec: TensorSpec, tensor: torch.Tensor) -> None:
        name = f"argument {index} of {self.function.name!r}"
        if torch_type(tensor.dtype) != TYPES.index(spec.type):
            raise WrongTypeError(
                f"{name} has elements of {tensor.dtype}, expected {spec.type}; convert "
                f"it with .to({_DTYPES[spec.type]})"
            )
        if tensor.dim() != len(spec.shape):
            raise WrongShapeError(
                f"{name} has rank {tensor.dim()}, expected the shape "
                f"{spec.in_order(spec.shape, self.layout)}"
            )

    def __copy__(self) -> Operator:
        return self

    def __deepcopy__(self, memo: object) -> Operator:
        """The same operator: PyTorch knows it by its name."""
        return self

    def __reduce__(self) -> Any:
        from .torch import _register_again

        return (_register_again, (self.function, self.name, self.layout))

    def __repr__(self) -> str:
        return f"<operator {self.name} of {self.function!r}>"

    def __call__(self, *tensors: torch.Tensor) -> Any:
        if len(tensors) != len(self.function.arguments):
            raise InvalidArgumentError(
                f"{self.name} takes {len(self.function.arguments)} tensors, "
                f"{len(tensors)} were given"
            )
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
