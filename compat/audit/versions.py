"""Which expressions are torch's version, and which are a version to compare it with."""

from __future__ import annotations

import ast
from collections.abc import Collection

from packaging.version import InvalidVersion, Version

from compat.audit.scopes import Scope, constant, last_name
from compat.audit.source import Module

_RUNNING = frozenset({"torch.__version__", "torch.version.__version__"})
# What is made of a version before it is compared.
_WRAPPERS = frozenset({"parse", "Version", "LooseVersion", "TorchVersion", "str", "tuple"})
_PARTS = frozenset({"release", "base_version", "public", "major", "minor"})
_METHODS = frozenset({"split", "partition", "strip"})


def names_of_the_version(module: Module) -> set[str]:
    """Dotted names of a module that are torch's version: ``release = parse(…).release``."""
    scope = Scope(module, module.body, None)
    return {
        f"{module.name}.{node.targets[0].id}"
        for node in module.body.body
        if isinstance(node, ast.Assign)
        and isinstance(node.targets[0], ast.Name)
        and scope.value(node.targets[0].id) is node.value
        and is_running(node.value, scope, ())
    }


def is_running(node: ast.expr, scope: Scope, names: Collection[str]) -> bool:
    """Whether an expression is torch's version, whatever was made of it.

    ``names`` are dotted names of the tree that are.
    """
    path = scope.path(node)
    if path is not None and (path in _RUNNING or path in names):
        return True
    if _is_metadata(node, scope):
        return True
    made_of = _made_of(node, scope)
    return made_of is not None and is_running(made_of, scope, names)


def _is_metadata(node: ast.expr, scope: Scope) -> bool:
    """Whether it is ``importlib.metadata.version("torch")``."""
    return (
        isinstance(node, ast.Call)
        and scope.path(node.func) == "importlib.metadata.version"
        and [constant(each) for each in node.args] == ["torch"]
    )


def _made_of(node: ast.expr, scope: Scope) -> ast.expr | None:
    """What an expression is a version, or a part of one, of."""
    if isinstance(node, ast.Name):
        return scope.value(node.id)
    if isinstance(node, ast.Subscript):
        return node.value
    if isinstance(node, ast.Attribute):
        return node.value if node.attr in _PARTS else None
    if not isinstance(node, ast.Call):
        return None
    if last_name(node.func) in _WRAPPERS and len(node.args) == 1:
        return node.args[0]
    is_method = isinstance(node.func, ast.Attribute) and node.func.attr in _METHODS
    return node.func.value if is_method and isinstance(node.func, ast.Attribute) else None


def written(node: ast.expr) -> Version | None:
    """The version that is written there: a text, ``parse("2.8")`` or ``(2, 8)``."""
    if isinstance(node, ast.Call) and last_name(node.func) in _WRAPPERS and len(node.args) == 1:
        return written(node.args[0])
    text = constant(node)
    if isinstance(node, ast.Tuple):
        numbers = [each.value for each in node.elts if isinstance(each, ast.Constant)]
        if numbers and len(numbers) == len(node.elts):
            text = ".".join(map(str, numbers))
    try:
        return None if text is None else Version(text)
    except InvalidVersion:
        return None
