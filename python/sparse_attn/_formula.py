"""Formulas of sizes (docs/Package.md) over whatever computes as integers do.

The runtime library evaluates them for tensors. This is for shapes that torch.compile
knows as symbols only.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from typing import Any

# floordiv is // here: sizes are never negative, nor are divisors.
_OPERATORS: dict[type[ast.AST], Any] = {
    ast.Add: lambda a, b: a + b,
    ast.Sub: lambda a, b: a - b,
    ast.Mult: lambda a, b: a * b,
}
_FUNCTIONS: dict[str, Any] = {
    "floordiv": lambda a, b: a // b,
    "min": lambda a, b: a if a < b else b,
    "max": lambda a, b: b if a < b else a,
    "lt": lambda a, b: 1 if a < b else 0,
    "eq": lambda a, b: 1 if a == b else 0,
    "select": lambda c, a, b: a if c != 0 else b,
}


def evaluate(formula: int | str, sizes: Mapping[str, Any]) -> Any:
    """The formula's value. The grammar is one that Python's parser reads as well;
    nothing outside it is evaluated."""
    if isinstance(formula, int):
        return formula
    return _evaluate(ast.parse(formula, mode="eval").body, sizes, formula)


def _evaluate(node: ast.AST, sizes: Mapping[str, Any], text: str) -> Any:
    def inner(child: ast.AST) -> Any:
        return _evaluate(child, sizes, text)

    if isinstance(node, ast.Constant) and isinstance(node.value, int):
        return node.value
    if isinstance(node, ast.Name) and node.id in sizes:
        return sizes[node.id]
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        return -inner(node.operand)
    if isinstance(node, ast.BinOp) and type(node.op) in _OPERATORS:
        return _OPERATORS[type(node.op)](inner(node.left), inner(node.right))
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        function = _FUNCTIONS.get(node.func.id)
        if function is not None and not node.keywords:
            return function(*(inner(argument) for argument in node.args))
    raise ValueError(f"{text!r} is not a formula of sizes")
