"""Finds the environment variables of torch and its compiler that a tree reads or sets."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from compat.audit.model import Switch, SwitchUse
from compat.audit.scopes import Spot, constant

# TORCHINDUCTOR_…, TORCH_COMPILE_…, PYTORCH_CUDA_ALLOC_CONF, TRITON_CACHE_DIR.
_PREFIXES = ("TORCH", "PYTORCH", "TRITON")
_ENVIRONMENT = "os.environ"
_CALLS = {
    "os.getenv": SwitchUse.READ,
    "os.environ.get": SwitchUse.READ,
    "os.environ.setdefault": SwitchUse.SET,
    "os.putenv": SwitchUse.SET,
    "os.environ.pop": SwitchUse.REMOVED,
    "os.unsetenv": SwitchUse.REMOVED,
}
_CONTEXTS: dict[type[ast.expr_context], SwitchUse] = {
    ast.Load: SwitchUse.READ,
    ast.Store: SwitchUse.SET,
    ast.Del: SwitchUse.REMOVED,
}


def switches_at(spot: Spot) -> Iterator[Switch]:
    """The switches that a node reads, sets or removes."""
    node, scope = spot.node, spot.scope
    if isinstance(node, ast.Call) and node.args:
        use = _CALLS.get(scope.path(node.func) or "")
        if use is not None:
            default = ast.unparse(node.args[1]) if len(node.args) > 1 else ""
            default = default or next(
                (ast.unparse(each.value) for each in node.keywords if each.arg == "default"), ""
            )
            yield from _switch(spot, node.args[0], use, default if use is SwitchUse.READ else "")
    elif isinstance(node, ast.Subscript) and scope.path(node.value) == _ENVIRONMENT:
        yield from _switch(spot, node.slice, _CONTEXTS[type(node.ctx)])
    elif (
        isinstance(node, ast.Compare)
        and isinstance(node.ops[0], (ast.In, ast.NotIn))
        and scope.path(node.comparators[0]) == _ENVIRONMENT
    ):
        yield from _switch(spot, node.left, SwitchUse.READ)


def _switch(spot: Spot, name: ast.expr, use: SwitchUse, default: str = "") -> Iterator[Switch]:
    text = constant(name)
    if text is not None and text.startswith(_PREFIXES):
        yield Switch(place=spot.place, name=text, use=use, default=default)
