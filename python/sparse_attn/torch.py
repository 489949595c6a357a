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
import keyword
import re
import threading

try:
    import torch
except ImportError as error:
    raise ImportError(
        "sparse_attn.torch needs PyTorch 2.4 or later; the rest of sparse_attn works "
        "without it"
    ) from error

from ._merge import merge
from ._operator import Operator
from ._specs import check_layout
from .errors import InvalidArgumentError, WrongTypeError
from .function import Function

__all__ = ["merge", "register"]

_lock = threading.Lock()
_registered: dict[str, tuple[Function, str, Operator]] = {}


def register(
    function: Function, name: str | None = None, *, layout: str = "bhsd"
) -> Operator:
    """A PyTorch operator that computes ``function``, known to torch.compile and
    torch.export, on every device that the function has code for.

    ``name``: "namespace::operator", by default "sparse_attn::" and the function's name,
    with what an operator's name cannot have replaced by "_", "f_" before it where it
    is no identifier then, and a number where that name is taken. ``layout``: as in
    ``Function.__call__``.

    Returns a callable that takes the function's tensors and returns its result, or a
    tuple of several. New results are dense in that layout. It raises what
    ``Function.__call__`` does. A gradient through it raises NoBackwardError in the
    backward pass; a forward-mode derivative, a transform of torch.func that
    differentiates it, or a gradient through a function that writes its result into
    an argument, at once.

    Raises InvalidArgumentError where the name is taken, by another function or by
    PyTorch, or cannot be an operator's; WrongTypeError for what is no function.
    """
    check_layout(layout)
    if not isinstance(function, Function):
        raise WrongTypeError(
            f"expected a function of a package, got a {type(function).__name__}; name "
            "one of its functions, as in register(package['attend'])"
        )
    if name is not None and not _is_name(name):
        raise _not_a_name(name)
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
        elif _is_pytorchs(name):
            raise InvalidArgumentError(
                f"PyTorch has something called {name} already; give another name"
            )
        try:
            return _add(Operator(function, name, layout))
        except (RuntimeError, ValueError) as error:
            # PyTorch keeps some namespaces, and words, for itself.
            raise _not_a_name(name) from error


def _is_identifier(text: str) -> bool:
    """In PyTorch's sense: ASCII, and no keyword, which some of Python's are."""
    isascii = re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", text) is not None
    return isascii and not keyword.iskeyword(text) and text != "NoneType"


def _is_name(name: str) -> bool:
    parts = name.split("::")
    return len(parts) == 2 and all(map(_is_identifier, parts))


def _is_pytorchs(name: str) -> bool:
    """Whether there is an operator of that name, or the object that has the operators
    of a namespace as attributes needs this one itself."""
    namespace, operator = name.split("::")
    return hasattr(getattr(torch.ops, namespace), operator)


def _not_a_name(name: str) -> InvalidArgumentError:
    return InvalidArgumentError(
        f"{name!r} is no operator's name; give one such as 'my_library::longformer'"
    )


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
    base = re.sub(r"[^A-Za-z0-9_]", "_", function.name)
    if not _is_identifier(base):
        base = "f_" + base
    base = "sparse_attn::" + base
    names = itertools.chain([base], (f"{base}_{i}" for i in itertools.count(2)))
    return next(
        name for name in names if name not in _registered and not _is_pytorchs(name)
    )
