"""What is passed by name only where a check is true, as far as one function shows it."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator

from compat.audit.scopes import Spot, constant, own_nodes

_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Module)


def guarded_by(spot: Spot) -> tuple[str, ...]:
    """The keywords, each once.

    What an ``if`` asks has to be the check, or a variable that is true only where the check is.
    """
    variable = _variable(spot)
    found = _below_the_if(spot) if variable is None else _below_ifs_of(spot, variable)
    return tuple(dict.fromkeys(found))


def _below_the_if(spot: Spot) -> Iterator[str]:
    """Of the nearest ``if`` that needs this very check to be true."""
    for node, child in spot.around():
        if _is_and(node):
            continue
        if isinstance(node, (ast.If, ast.IfExp)) and child is node.test:
            yield from _keywords(node.body)
        return


def _below_ifs_of(spot: Spot, variable: str) -> Iterator[str]:
    function = next(node for node, _ in spot.around() if isinstance(node, _FUNCTIONS))
    names = _true_only_with(variable, function)
    for node in own_nodes(function):
        if isinstance(node, (ast.If, ast.IfExp)) and _needs(node.test, names):
            yield from _keywords(node.body)


def _variable(spot: Spot) -> str | None:
    """The variable that is true only where the check is; None where there is none."""
    for node, _ in spot.around():
        if not _is_and(node):
            return _assigned(node)[0]
    return None


def _true_only_with(variable: str, function: ast.AST) -> set[str]:
    """``variable``, and those that are ``variable and …``."""
    assigned = [_assigned(node) for node in own_nodes(function)]
    names = {variable}
    grown = True
    while grown:
        new = {
            name
            for name, value in assigned
            if name is not None and value is not None and _needs(value, names)
        }
        grown = not new <= names
        names |= new
    return names


def _assigned(node: ast.AST) -> tuple[str | None, ast.expr | None]:
    """The variable and the value of an assignment to one."""
    if isinstance(node, ast.Assign):
        target = node.targets[0]
    elif isinstance(node, ast.AnnAssign):
        target = node.target
    else:
        return None, None
    return (target.id, node.value) if isinstance(target, ast.Name) else (None, None)


def _is_and(node: ast.AST) -> bool:
    return isinstance(node, ast.BoolOp) and isinstance(node.op, ast.And)


def _needs(test: ast.expr, names: Collection[str]) -> bool:
    """Whether a test is true only where one of ``names`` is."""
    if isinstance(test, ast.BoolOp) and isinstance(test.op, ast.And):
        return any(_needs(each, names) for each in test.values)
    return isinstance(test, ast.Name) and test.id in names


def _keywords(body: ast.expr | list[ast.stmt]) -> Iterator[str]:
    """What a branch passes by name: as a keyword, or in a dict of keywords."""
    for top in body if isinstance(body, list) else [body]:
        for node in ast.walk(top):
            if isinstance(node, ast.keyword) and node.arg is not None:
                yield node.arg
            elif isinstance(node, ast.Dict):
                yield from filter(None, (constant(key) for key in node.keys if key is not None))
            elif isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store):
                yield from filter(None, [constant(node.slice)])
