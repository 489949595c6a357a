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

try:
    import torch
except ImportError as error:
    raise ImportError(
        "sparse_attn.torch needs PyTorch 2.4 or later; the rest of sparse_attn works "
        "without it"
    ) from error

from ._operator import Operator
from ._specs import check_layout
from .errors import InvalidArgumentError
from .function import Function

_lock = threading.Lock()
_registered: dict[str, tuple[Function, str, Operator]] = {}


def register(
    function: Function, name: str | None = None, *, layout: str = "bhsd"
) -> Operator:
    """A PyTorch operator that computes ``function``, known to torch.compile and
    torch.export, on every device that the function has code for.

    ``name``: "namespace::operator", by default "sparse_attn::", the function's name,
    and a number where that name is taken. ``layout``: as in ``Function.__call__``.

    Returns a callable that takes the function's tensors and returns its result, or a
    tuple of several. New results are dense in that layout. It raises what
    ``Function.__call__`` does. A gradient through it raises NoBackwardError in the
    backward pass; a forward-mode derivative, a transform of torch.func that
    differentiates it, or a gradient through a function that writes its result into
    an argument, at once.

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
        return _add(Operator(function, name, layout))


def _add(operator: Operator) -> Operator:
    _registered[operator.name] = (operator.function, operator.layout, operator)
    return operator


def _register_again(function: Function, name: str, layout: str) -> Operator:
    """What a pickled operator was: where it is registered here already, that one."""
    with _lock:
        known = _registered[name][2] if name in _registered else None
        if known is None:
            return _add(Operator(function, name, layout))
        if known.layout == layout and known.function.is_same(function):
            if not known.function.is_open:
                known.function = function
                _add(known)
            return known
        if not name.startswith("sparse_attn::"):
            raise InvalidArgumentError(
                f"a pickled operator is {name}, and there is one already of that name, "
                "of another function or layout; load it in a process that has not"
            )
        return _add(Operator(function, _find_free_name(function), layout))


def _find_free_name(function: Function) -> str:
    base = "sparse_attn::" + re.sub(r"\W", "_", function.name)
    names = itertools.chain([base], (f"{base}_{i}" for i in itertools.count(2)))
    return next(name for name in names if name not in _registered)
