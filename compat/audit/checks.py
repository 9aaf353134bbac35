"""Finds the places that ask for torch's version."""

from __future__ import annotations

import ast
from collections.abc import Collection, Mapping

from packaging.version import Version

from compat.audit.guards import guarded_by
from compat.audit.model import Comparison, Rule, VersionCheck
from compat.audit.scopes import Spot, last_name
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


def check_at(spot: Spot, running: Collection[str]) -> VersionCheck | None:
    """The check that a node is, if it is one; ``running`` are the tree's names of the version."""
    if isinstance(spot.node, ast.Compare):
        return _of_comparison(spot, spot.node, running)
    if isinstance(spot.node, ast.Call) and spot.node.args:
        return _of_call(spot, spot.node, running)
    return None


def _of_comparison(spot: Spot, node: ast.Compare, running: Collection[str]) -> VersionCheck | None:
    left, right = node.left, node.comparators[0]
    comparison = _OPERATORS.get(type(node.ops[0])) if len(node.ops) == 1 else None
    if is_running(left, spot.scope, running):
        return _check(spot, comparison, written(right))
    if any(is_running(each, spot.scope, running) for each in node.comparators):
        return _check(spot, comparison and comparison.swapped, written(left))
    return None


def _of_call(spot: Spot, node: ast.Call, running: Collection[str]) -> VersionCheck | None:
    comparison = _FUNCTIONS.get(last_name(node.func))
    if comparison is not None:
        return _check(spot, comparison, written(node.args[0]))
    owner = node.func.value if isinstance(node.func, ast.Attribute) else None
    if owner and last_name(node.func) == "startswith" and is_running(owner, spot.scope, running):
        return _check(spot, Comparison.EQUAL, written(node.args[0]))
    return None


def _check(spot: Spot, comparison: Comparison | None, version: Version | None) -> VersionCheck:
    rule = None if comparison is None or version is None else Rule(comparison, version)
    return VersionCheck(
        place=spot.place, text=ast.unparse(spot.node), rule=rule, guards=guarded_by(spot)
    )
