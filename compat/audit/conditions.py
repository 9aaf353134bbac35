"""Under which answers of version checks a place is reached, as far as what is around it says so."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator

from compat.audit.checks import asked_by
from compat.audit.model import Condition
from compat.audit.scopes import Scope, Spot


def conditions_of(spot: Spot, running: Collection[str]) -> tuple[Condition, ...]:
    """Those of every ``if`` around a node; ``running`` are the tree's names of the version.

    A function is taken to be called whatever the version is.
    """
    return tuple(
        condition
        for node, child in spot.around()
        if isinstance(node, (ast.If, ast.IfExp)) and child is not node.test
        for condition in _implied(node.test, _is_in_body(child, node), spot.scope, running)
    )


def _is_in_body(child: ast.AST, node: ast.If | ast.IfExp) -> bool:
    return child in node.body if isinstance(node.body, list) else child is node.body


def _implied(
    test: ast.expr, answer: bool, scope: Scope, running: Collection[str]
) -> Iterator[Condition]:
    """What follows for version checks from the answer to a test."""
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        yield from _implied(test.operand, not answer, scope, running)
    elif isinstance(test, ast.BoolOp):
        # All parts of an `and` that is true are, and none of an `or` that is not.
        if isinstance(test.op, ast.And) is answer:
            for each in test.values:
                yield from _implied(each, answer, scope, running)
    elif isinstance(test, ast.Name):
        value = scope.value(test.id)
        if value is not None:
            yield from _implied(value, answer, scope, running)
    else:
        asked = asked_by(test, scope, running)
        if asked is not None and asked.rule is not None:
            yield Condition(asked.rule, answer)
