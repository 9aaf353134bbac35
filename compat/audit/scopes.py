"""What the names in a file stand for, scope by scope, as far as its text says so."""

from __future__ import annotations

import ast
from collections.abc import Container, Iterator
from typing import NamedTuple

from compat.audit.model import Place
from compat.audit.source import Module

_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
_OWN_SCOPE = (*_FUNCTIONS, ast.ClassDef)
_LEAVES = (ast.Constant, ast.expr_context, ast.operator, ast.boolop, ast.unaryop, ast.cmpop)


class Scope:
    """The names of a module, class or function.

    A name that is imported stands for what is imported, whatever else it is bound to: the other
    binding is what a project falls back to. One that is bound once, to a dotted name, stands for
    that. Any other name of a module is the module's own; of a function it stands for nothing.
    """

    def __init__(self, module: Module, node: ast.AST, outer: Scope | None) -> None:
        self.module = module
        self.node = node
        self._outer = outer
        self._imported: dict[str, str] = {}
        self._bound: dict[str, list[ast.expr | None]] = {}
        self._values: dict[ast.expr, ast.expr | None] = {}
        self._straight: dict[str, ast.expr | None] = {}
        for statement in own_nodes(node):
            self._bind(statement)
        if isinstance(node, _FUNCTIONS):
            for argument in _arguments(node.args):
                self._bound.setdefault(argument.arg, []).append(None)

    def _bind(self, node: ast.AST) -> None:
        if isinstance(node, ast.Import):
            for alias in node.names:
                if alias.asname:
                    self._imported.setdefault(alias.asname, alias.name)
                else:
                    first = alias.name.partition(".")[0]
                    self._imported.setdefault(first, first)
        elif isinstance(node, ast.ImportFrom):
            origin = imported_from(self.module, node)
            for alias in node.names:
                self._imported.setdefault(alias.asname or alias.name, f"{origin}.{alias.name}")
        elif isinstance(node, ast.Assign):
            self._values[node.targets[0]] = node.value
        elif isinstance(node, ast.AnnAssign):
            self._values[node.target] = node.value
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            self._bound.setdefault(node.name, []).append(None)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            # Of an assignment, which was met before its target; or of a loop, a with, a walrus.
            self._bound.setdefault(node.id, []).append(self._values.get(node))

    def path(self, node: ast.expr) -> str | None:
        """The dotted name that an expression stands for; None where that cannot be told."""
        if isinstance(node, ast.Name):
            return self._look_up(node.id)
        if isinstance(node, ast.Attribute):
            owner = self.path(node.value)
            return None if owner is None else f"{owner}.{node.attr}"
        if isinstance(node, ast.Subscript):
            return constant(node.slice) if self.path(node.value) == "sys.modules" else None
        if isinstance(node, ast.Call) and node.args:
            return self._path_of_call(node)
        return None

    def _path_of_call(self, node: ast.Call) -> str | None:
        """Of ``import_module("a.b")`` and of ``getattr(a, "b")``."""
        function = self.path(node.func)
        if function == "importlib.import_module":
            return constant(node.args[0])
        if isinstance(node.func, ast.Name) and node.func.id == "getattr" and len(node.args) > 1:
            owner, name = self.path(node.args[0]), constant(node.args[1])
            return None if owner is None or name is None else f"{owner}.{name}"
        return None

    def value(self, name: str) -> ast.expr | None:
        """What a name of this very scope is bound to, where that is one expression.

        Not where it leads back to the name: ``a = a and b``, or ``a = b`` and ``b = a``.
        """
        if name not in self._straight:
            value = self._bound_once(name)
            self._straight[name] = None if name in self._names_behind(value) else value
        return self._straight[name]

    def _bound_once(self, name: str) -> ast.expr | None:
        bound = self._bound.get(name, [])
        return bound[0] if len(bound) == 1 and name not in self._imported else None

    def _names_behind(self, value: ast.expr | None) -> set[str]:
        """The names that an expression mentions, and those that their values do."""
        found: set[str] = set()
        pending = [value]
        while pending:
            expression = pending.pop()
            names = {
                node.id
                for node in (() if expression is None else ast.walk(expression))
                if isinstance(node, ast.Name)
            }
            pending += [self._bound_once(name) for name in names - found]
            found |= names
        return found

    def _look_up(self, name: str, inner: bool = False) -> str | None:
        hidden = inner and isinstance(self.node, ast.ClassDef)
        if not hidden and name in self._imported:
            return self._imported[name]
        if not hidden and name in self._bound:
            return self._stands_for(name)
        return None if self._outer is None else self._outer._look_up(name, inner=True)

    def _stands_for(self, name: str) -> str | None:
        value = self.value(name)
        path = None if value is None else self.path(value)
        if path is not None:
            return path
        return f"{self.module.name}.{name}" if isinstance(self.node, ast.Module) else None


class Spot(NamedTuple):
    """A node with the scope that it is in, and the spot of the node around it."""

    node: ast.AST
    scope: Scope
    up: Spot | None

    @property
    def place(self) -> Place:
        line = getattr(self.node, "lineno", 1)
        return Place(self.scope.module.file, line, getattr(self.node, "col_offset", 0) + 1)

    def around(self) -> Iterator[tuple[ast.AST, ast.AST]]:
        """Each node around this one, from the inside, with its child that leads here."""
        spot = self
        while spot.up is not None:
            yield spot.up.node, spot.node
            spot = spot.up


def spots(module: Module, kinds: Container[type[ast.AST]]) -> Iterator[Spot]:
    """Every node of a file that is of one of ``kinds``, each after the one around it."""
    scope = Scope(module, module.body, None)
    pending = [Spot(module.body, scope, None)]
    while pending:
        spot = pending.pop()
        node = spot.node
        if type(node) in kinds:
            yield spot
        inside = Scope(module, node, spot.scope) if isinstance(node, _OWN_SCOPE) else spot.scope
        pending += [Spot(child, inside, spot) for child in _children(node)]


def _children(node: ast.AST) -> Iterator[ast.AST]:
    """Without what is a leaf and no name."""
    for child in ast.iter_child_nodes(node):
        if not isinstance(child, _LEAVES):
            yield child


def _arguments(node: ast.arguments) -> Iterator[ast.arg]:
    yield from (*node.posonlyargs, *node.args, *node.kwonlyargs)
    yield from filter(None, (node.vararg, node.kwarg))


def own_nodes(node: ast.AST) -> Iterator[ast.AST]:
    """What is below ``node`` and in its own scope."""
    body = getattr(node, "body", [])
    pending = list(body) if isinstance(body, list) else [body]
    while pending:
        each = pending.pop()
        yield each
        if not isinstance(each, _OWN_SCOPE):
            pending += _children(each)


def imported_from(module: Module, node: ast.ImportFrom) -> str:
    """The dotted module that a ``from`` import names."""
    if not node.level:
        return node.module or ""
    parts = module.package.split(".")
    kept = parts[: len(parts) - node.level + 1]
    return ".".join([*kept, *([node.module] if node.module else [])])


def constant(node: ast.expr) -> str | None:
    """The text that an expression is, if it is a text."""
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def last_name(node: ast.expr) -> str:
    """The name that a function is called by, without what it is an attribute of."""
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""
