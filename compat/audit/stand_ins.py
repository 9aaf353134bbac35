"""Finds classes that stand in for an object of torch's: they have its members and are none."""

from __future__ import annotations

import ast
from collections.abc import Collection, Mapping

from compat.audit.model import StandIn
from compat.audit.scopes import Scope, Spot

# A class with one member of that name may be anything.
_FEWEST = 2
_ANY_ATTRIBUTE = frozenset({"__getattr__", "__getattribute__"})


def stand_in_at(spot: Spot, asked: Collection[str]) -> StandIn | None:
    """The stand-in that a node is, if it is one; ``asked`` is what torch reads of the object."""
    node = spot.node
    if not isinstance(node, ast.ClassDef):
        return None
    classes = _classes_beside(spot.scope)
    members, whole = _members(node, spot.scope, classes, frozenset())
    of_torch = any((spot.scope.path(base) or "").startswith("torch.") for base in node.bases)
    if of_torch or len(members & set(asked)) < _FEWEST:
        return None
    return StandIn(place=spot.place, name=node.name, members=frozenset(members), whole=whole)


def _classes_beside(scope: Scope) -> Mapping[str, ast.ClassDef]:
    body = getattr(scope.node, "body", [])
    statements = body if isinstance(body, list) else []
    return {node.name: node for node in statements if isinstance(node, ast.ClassDef)}


def _members(
    node: ast.ClassDef, scope: Scope, classes: Mapping[str, ast.ClassDef], seen: frozenset[str]
) -> tuple[set[str], bool]:
    """What instances have, and whether that is all they have."""
    members = _own_members(node)
    whole = not members & _ANY_ATTRIBUTE
    for base in node.bases:
        known = classes.get(base.id) if isinstance(base, ast.Name) else None
        if known is not None and known.name not in {*seen, node.name}:
            inherited, complete = _members(known, scope, classes, seen | {node.name})
            members |= inherited
            whole = whole and complete
        elif not (isinstance(base, ast.Name) and base.id == "object"):
            whole = False
    return members, whole


def _own_members(node: ast.ClassDef) -> set[str]:
    members: set[str] = set()
    for statement in node.body:
        if isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef)):
            members.add(statement.name)
            members |= _set_on_self(statement)
        elif isinstance(statement, ast.Assign):
            members |= {each.id for each in statement.targets if isinstance(each, ast.Name)}
        elif isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
            members.add(statement.target.id)
    return members


def _set_on_self(method: ast.FunctionDef | ast.AsyncFunctionDef) -> set[str]:
    if not method.args.args:
        return set()
    instance = method.args.args[0].arg
    return {
        each.attr
        for each in ast.walk(method)
        if isinstance(each, ast.Attribute)
        and isinstance(each.ctx, ast.Store)
        and isinstance(each.value, ast.Name)
        and each.value.id == instance
    }
