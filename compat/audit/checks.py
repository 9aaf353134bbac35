"""Finds the places that ask for torch's version, and what is passed only where they say yes."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator, Mapping

from packaging.version import InvalidVersion, Version

from compat.audit.model import Comparison, Rule, VersionCheck
from compat.audit.scopes import Scope, Spot, constant, last_name, own_nodes
from compat.audit.source import Module

_RUNNING = frozenset({"torch.__version__", "torch.version.__version__", "torch.torch_version"})
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
# What is made of the version before it is compared.
_WRAPPERS = frozenset({"parse", "Version", "LooseVersion", "TorchVersion", "str", "tuple"})
_PARTS = frozenset({"release", "base_version", "public", "major", "minor"})
_METHODS = frozenset({"split", "partition", "strip"})


def names_of_the_version(module: Module) -> set[str]:
    """Dotted names of a module that are torch's version: ``release = parse(…).release``."""
    scope = Scope(module, module.body, None)
    found = set()
    for node in module.body.body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            name = node.targets[0].id
            if scope.value(name) is node.value and _is_running(node.value, scope, ()):
                found.add(f"{module.name}.{name}")
    return found


def check_at(spot: Spot, running: Collection[str]) -> VersionCheck | None:
    """The check that a node is, if it is one.

    Args:
        running: Names that are torch's version, of all files.
    """
    node, scope = spot.node, spot.scope
    if isinstance(node, ast.Compare) and len(node.ops) == 1:
        left, right = node.left, node.comparators[0]
        comparison = _OPERATORS.get(type(node.ops[0]))
        if _is_running(left, scope, running):
            return _check(spot, comparison, _version(right))
        if _is_running(right, scope, running):
            return _check(spot, comparison and comparison.swapped, _version(left))
        return None
    if not isinstance(node, ast.Call) or not node.args:
        return None
    if (comparison := _FUNCTIONS.get(last_name(node.func))) is not None:
        return _check(spot, comparison, _version(node.args[0]))
    if isinstance(node.func, ast.Attribute) and node.func.attr == "startswith":
        if _is_running(node.func.value, scope, running):
            return _check(spot, Comparison.EQUAL, _version(node.args[0]))
    return None


def _check(spot: Spot, comparison: Comparison | None, version: Version | None) -> VersionCheck:
    rule = None if comparison is None or version is None else Rule(comparison, version)
    return VersionCheck(
        place=spot.place,
        text=ast.unparse(spot.node),
        rule=rule,
        guards=tuple(dict.fromkeys(_guarded(spot))),
    )


def _is_running(node: ast.expr, scope: Scope, running: Collection[str]) -> bool:
    """Whether an expression is torch's version, whatever was made of it."""
    path = scope.path(node)
    if path is not None and (path in _RUNNING or path in running):
        return True
    if isinstance(node, ast.Name):
        value = scope.value(node.id)
        return value is not None and _is_running(value, scope, running)
    if isinstance(node, ast.Subscript):
        return _is_running(node.value, scope, running)
    if isinstance(node, ast.Attribute):
        return node.attr in _PARTS and _is_running(node.value, scope, running)
    if not isinstance(node, ast.Call):
        return False
    if scope.path(node.func) == "importlib.metadata.version":
        return bool(node.args) and constant(node.args[0]) == "torch"
    if last_name(node.func) in _WRAPPERS and len(node.args) == 1:
        return _is_running(node.args[0], scope, running)
    return (
        isinstance(node.func, ast.Attribute)
        and node.func.attr in _METHODS
        and _is_running(node.func.value, scope, running)
    )


def _version(node: ast.expr) -> Version | None:
    """The version that is written there: a text, ``parse("2.8")`` or ``(2, 8)``."""
    if isinstance(node, ast.Call) and last_name(node.func) in _WRAPPERS and len(node.args) == 1:
        return _version(node.args[0])
    text = constant(node)
    if isinstance(node, ast.Tuple):
        numbers = [each.value for each in node.elts if isinstance(each, ast.Constant)]
        if numbers and len(numbers) == len(node.elts):
            text = ".".join(map(str, numbers))
    try:
        return None if text is None else Version(text)
    except InvalidVersion:
        return None


def _guarded(spot: Spot) -> Iterator[str]:
    """Keywords that are passed only where the check is true, as far as one function shows it.

    The check, or a variable that is true only where it is, has to be what an ``if`` asks.
    """
    variable = _variable(spot)
    if variable is None:
        yield from _keywords_below(spot)
        return
    function = _function(spot)
    names = _true_only_with(variable, function)
    for node in own_nodes(function):
        if isinstance(node, (ast.If, ast.IfExp)) and _needs(node.test, names):
            yield from _keywords(node.body)


def _keywords_below(spot: Spot) -> Iterator[str]:
    """Of the nearest ``if`` that needs this very check to be true."""
    for node, child in spot.around():
        if isinstance(node, ast.BoolOp) and isinstance(node.op, ast.And):
            continue
        if isinstance(node, (ast.If, ast.IfExp)) and child is node.test:
            yield from _keywords(node.body)
        return


def _variable(spot: Spot) -> str | None:
    """The variable that is true only where the check is; None where there is none."""
    for node, _ in spot.around():
        if isinstance(node, ast.BoolOp) and isinstance(node.op, ast.And):
            continue
        target = node.targets[0] if isinstance(node, ast.Assign) else None
        if isinstance(node, ast.AnnAssign):
            target = node.target
        return target.id if isinstance(target, ast.Name) else None
    return None


def _function(spot: Spot) -> ast.AST:
    functions = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Module)
    return next(node for node, _ in spot.around() if isinstance(node, functions))


def _true_only_with(variable: str, function: ast.AST) -> set[str]:
    """``variable``, and those that are ``variable and …``."""
    names = {variable}
    for _ in range(2):
        for node in own_nodes(function):
            target = node.targets[0] if isinstance(node, ast.Assign) else None
            if isinstance(node, ast.AnnAssign):
                target = node.target
            if isinstance(target, ast.Name) and isinstance(node, (ast.Assign, ast.AnnAssign)):
                if node.value is not None and _needs(node.value, names):
                    names.add(target.id)
    return names


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
                if (key := constant(node.slice)) is not None:
                    yield key
