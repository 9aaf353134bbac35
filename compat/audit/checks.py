"""Finds the places that ask for torch's version."""

from __future__ import annotations

import ast
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from packaging.version import Version

from compat.audit.guards import guarded_by
from compat.audit.model import Comparison, Rule, VersionCheck
from compat.audit.scopes import Scope, Spot, last_name
from compat.audit.versions import is_running, written

# Functions that compare torch's version with their argument, as projects call them: vLLM's
# utils/torch_version.py, transformers' utils/import_utils.py, torchao's utils.py.
_FUNCTIONS: Mapping[str, Comparison] = {
    "is_torch_equal_or_newer": Comparison.AT_LEAST,
    "is_torch_greater_or_equal": Comparison.AT_LEAST,
    "torch_version_at_least": Comparison.AT_LEAST,
    "is_torch_equal": Comparison.EQUAL,
    "is_torch_less_than": Comparison.BELOW,
}
_OPERATORS: Mapping[type[ast.cmpop], Comparison] = {
    ast.GtE: Comparison.AT_LEAST,
    ast.Gt: Comparison.ABOVE,
    ast.Lt: Comparison.BELOW,
    ast.LtE: Comparison.AT_MOST,
    ast.Eq: Comparison.EQUAL,
    ast.NotEq: Comparison.UNEQUAL,
}


@dataclass(frozen=True)
class Asked:
    """A question for torch's version; the rule is None where it cannot be told."""

    rule: Rule | None


def check_at(spot: Spot, running: Collection[str]) -> VersionCheck | None:
    """The check that a node is, if it is one; ``running`` are the tree's names of the version."""
    asked = asked_by(spot.node, spot.scope, running)
    if asked is None:
        return None
    return VersionCheck(
        place=spot.place, text=ast.unparse(spot.node), rule=asked.rule, guards=guarded_by(spot)
    )


def asked_by(node: ast.AST, scope: Scope, running: Collection[str]) -> Asked | None:
    """What a node asks of torch's version, if it asks for it."""
    if isinstance(node, ast.Compare):
        return _of_comparison(node, scope, running)
    if isinstance(node, ast.Call) and node.args:
        return _of_call(node, scope, running)
    return None


def _of_comparison(node: ast.Compare, scope: Scope, running: Collection[str]) -> Asked | None:
    left, right = node.left, node.comparators[0]
    comparison = _OPERATORS.get(type(node.ops[0])) if len(node.ops) == 1 else None
    if is_running(left, scope, running):
        return _asked(comparison, written(right))
    if any(is_running(each, scope, running) for each in node.comparators):
        return _asked(comparison and comparison.swapped, written(left))
    return None


def _of_call(node: ast.Call, scope: Scope, running: Collection[str]) -> Asked | None:
    comparison = _FUNCTIONS.get(last_name(node.func))
    if comparison is not None:
        return _asked(comparison, written(node.args[0]))
    owner = node.func.value if isinstance(node.func, ast.Attribute) else None
    if owner and last_name(node.func) == "startswith" and is_running(owner, scope, running):
        return _asked(Comparison.EQUAL, written(node.args[0]))
    return None


def _asked(comparison: Comparison | None, version: Version | None) -> Asked:
    return Asked(None if comparison is None or version is None else Rule(comparison, version))
