"""Finds the operators of torch's own that a tree names."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from compat.audit.model import OperatorUse
from compat.audit.scopes import Spot

_OPS = "torch.ops."
# The namespaces that torch registers operators in; in all others projects do.
NAMESPACES = frozenset(
    {
        "_c10d_functional", "_c10d_functional_autograd", "aten", "bucketing", "c10d",
        "c10d_functional", "fsdp", "higher_order", "inductor", "prim", "prims", "quantized",
        "quantized_decomposed", "rngprims", "symm_mem",
    }
)  # fmt: skip
# What a packet of overloads and an overload have beside their names: torch/_ops.py.
_MEMBERS = frozenset({"name", "namespace", "overloads", "redispatch", "tags", "impl", "py_impl"})
_PARTS = (2, 3)  # aten.mm, aten.mm.default


def operators_at(spot: Spot) -> Iterator[OperatorUse]:
    """The operator that a node is, if it is one: the longest name, and no part of it."""
    around = spot.up.node if spot.up is not None else None
    if not isinstance(spot.node, ast.Attribute) or isinstance(around, ast.Attribute):
        return
    path = spot.scope.path(spot.node) or ""
    if not path.startswith(_OPS):
        return
    parts = path.removeprefix(_OPS).split(".")
    kept = [part for part in parts if part not in _MEMBERS and not part.startswith("__")]
    if parts[0] in NAMESPACES and len(kept) >= _PARTS[0]:
        yield OperatorUse(place=spot.place, path=".".join(kept[: _PARTS[1]]))
