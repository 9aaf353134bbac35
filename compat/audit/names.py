"""Finds the private names of torch that a tree imports, reads, calls, patches or subclasses."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from compat.audit.model import Call, NameUse, Use
from compat.audit.scopes import Scope, Spot, constant, imported_from, last_name

# Registered operators are whoever's registered them, whatever they are called.
_OPERATORS = "torch.ops."
# Settings: to assign them is what they are there for.
_SETTINGS = "torch.backends."
# Without an underscore, and nobody promised to keep them.
_UNPROMISED = ("torch.fx.experimental.", "torch.fx.passes.")
_WITH_DEFAULT = 3  # getattr(owner, name, default)
_MISSING = frozenset(
    {"ImportError", "ModuleNotFoundError", "AttributeError", "Exception", "BaseException"}
)


def is_private(path: str) -> bool:
    """Whether a dotted name is one of torch's that may go without notice."""
    if not path.startswith("torch.") or path.startswith(_OPERATORS):
        return False
    hidden = any(part.startswith("_") and not part.endswith("__") for part in path.split("."))
    return hidden or path.startswith(_UNPROMISED)


@dataclass(frozen=True, kw_only=True)
class Patch:
    """An attribute that is replaced: its dotted name, and what its owner is called."""

    owner: str
    attribute: str

    @property
    def path(self) -> str:
        return f"{self.owner}.{self.attribute}"


def names_at(spot: Spot) -> Iterator[NameUse]:
    """What a node does with names of torch; keys of config modules are among them."""
    node, scope = spot.node, spot.scope
    for patch in patches_at(spot):
        path = patch.path
        if path.startswith("torch.") and not path.startswith((_SETTINGS, _OPERATORS)):
            yield _use(spot, path, Use.PATCHED)
    if isinstance(node, (ast.Import, ast.ImportFrom)):
        for path in _imported(node, scope):
            if is_private(path):
                yield _use(spot, path, Use.TYPING if _for_types(spot) else Use.IMPORTED)
    elif isinstance(node, ast.ClassDef):
        for base in node.bases:
            path = scope.path(base) or ""
            if is_private(path):
                yield _use(spot, path, Use.SUBCLASSED)
    elif isinstance(node, (ast.Attribute, ast.Name)) and isinstance(node.ctx, ast.Load):
        yield from _read(spot, node)
    elif isinstance(node, ast.Call) and last_name(node.func) == "getattr":
        path = scope.path(node) or ""
        if is_private(path):
            # With a default it is expected not to be there.
            guarded = len(node.args) == _WITH_DEFAULT or _expects_absence(spot)
            yield NameUse(place=spot.place, path=path, use=Use.READ, guarded=guarded)


def patches_at(spot: Spot) -> Iterator[Patch]:
    """The attributes that a node replaces.

    By assignment, ``del``, ``setattr``, ``patch("a.b")``, ``patch.object(a, "b")`` and what
    pytest's monkeypatch has of these.
    """
    node, scope = spot.node, spot.scope
    if isinstance(node, ast.Attribute) and not isinstance(node.ctx, ast.Load):
        owner = scope.path(node.value)
        if owner is not None:
            yield Patch(owner=owner, attribute=node.attr)
    elif isinstance(node, ast.Call) and node.args:
        name = last_name(node.func)
        text = constant(node.args[0])
        if name in {"patch", "setattr"} and text is not None and "." in text:
            owner, _, attribute = text.rpartition(".")
            yield Patch(owner=owner, attribute=attribute)
        elif name in {"object", "setattr", "delattr"} and len(node.args) > 1:
            owner_path, attribute_name = scope.path(node.args[0]), constant(node.args[1])
            if owner_path is not None and attribute_name is not None:
                yield Patch(owner=owner_path, attribute=attribute_name)


def _read(spot: Spot, node: ast.Attribute | ast.Name) -> Iterator[NameUse]:
    around = spot.up.node if spot.up is not None else None
    if isinstance(around, (ast.Attribute, ast.ClassDef)):
        return  # It is a part of a longer name, which is met by itself; or a base.
    path = spot.scope.path(node)
    if path is None or not is_private(path):
        return
    if isinstance(around, ast.Call) and around.func is node:
        yield _use(spot, path, Use.CALLED, _call(around))
    else:
        yield _use(spot, path, Use.READ)


def _use(spot: Spot, path: str, use: Use, call: Call | None = None) -> NameUse:
    return NameUse(place=spot.place, path=path, use=use, call=call, guarded=_expects_absence(spot))


def _call(node: ast.Call) -> Call:
    starred = any(isinstance(each, ast.Starred) for each in node.args)
    return Call(
        positional=len(node.args),
        keywords=tuple(each.arg for each in node.keywords if each.arg is not None),
        whole=not starred and all(each.arg is not None for each in node.keywords),
    )


def _imported(node: ast.Import | ast.ImportFrom, scope: Scope) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
        return
    origin = imported_from(scope.module, node)
    for alias in node.names:
        yield origin if alias.name == "*" else f"{origin}.{alias.name}"


def _for_types(spot: Spot) -> bool:
    return any(
        isinstance(node, ast.If) and last_name(node.test) == "TYPE_CHECKING" and child in node.body
        for node, child in spot.around()
    )


def _expects_absence(spot: Spot) -> bool:
    """Whether something around a node is there for the case that a name is not."""
    return any(_allows_for_absence(node, child) for node, child in spot.around())


def _allows_for_absence(node: ast.AST, child: ast.AST) -> bool:
    if isinstance(node, ast.Try):
        return child in node.body and any(_catches(each.type) for each in node.handlers)
    if isinstance(node, (ast.If, ast.IfExp)):
        return child is not node.test and _asks_for_attribute(node.test)
    return False


def _asks_for_attribute(test: ast.expr) -> bool:
    calls = (each for each in ast.walk(test) if isinstance(each, ast.Call))
    return any(last_name(call.func) == "hasattr" for call in calls)


def _catches(kind: ast.expr | None) -> bool:
    if kind is None:
        return True
    kinds = kind.elts if isinstance(kind, ast.Tuple) else [kind]
    return any(last_name(each) in _MISSING for each in kinds)
