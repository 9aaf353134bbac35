"""Finds the keys of torch's config modules that a tree reads, sets, patches or passes on."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from compat.audit.model import ConfigKey, KeyUse, NameUse, Use
from compat.audit.scopes import Scope, Spot, constant, last_name, own_nodes

MODULES = (
    "torch._inductor.config",
    "torch._dynamo.config",
    "torch._functorch.config",
    "torch.fx.experimental._config",
)
_INDUCTOR = MODULES[0]
# What a config module has beside its keys: torch/utils/_config_module.py.
_FUNCTIONS = frozenset(
    {
        "_config", "codegen_config", "get_config_copy", "get_hash", "get_serializable_config_copy",
        "get_type", "is_default", "load_config", "patch", "save_config", "save_config_portable",
        "shallow_copy_dict", "to_dict",
    }
)  # fmt: skip
# Variables whose keys are Inductor's, in every project that has them.
_DICTS = frozenset({"inductor_compile_config", "inductor_config_patches"})
# Functions that take Inductor's keys as a dict, and by which keyword.
_TAKERS = {"torch.compile": "options", "torch._inductor.compile": "options"}
_KEYWORD = "config_patches"


def key_of(use: NameUse) -> ConfigKey | None:
    """The key that a name is, if it is one."""
    for module in MODULES:
        key = use.path.removeprefix(f"{module}.")
        if key != use.path and key.partition(".")[0] not in _FUNCTIONS:
            how = KeyUse.SET if use.use is Use.PATCHED else KeyUse.READ
            return ConfigKey(
                place=use.place,
                module=module,
                key=key,
                use=how,
                guarded=use.guarded,
                conditions=use.conditions,
            )
    return None


def keys_at(spot: Spot) -> Iterator[ConfigKey]:
    """The keys that a node patches or passes on; one without a name where it cannot be read."""
    node, scope = spot.node, spot.scope
    if isinstance(node, ast.Call):
        yield from _of_call(spot, node, scope)
    elif isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store):
        keys = [constant(node.slice) or ""] if last_name(node.value) in _DICTS else []
        yield from (_key(spot, _INDUCTOR, key, KeyUse.PASSED) for key in keys)


def _of_call(spot: Spot, node: ast.Call, scope: Scope) -> Iterator[ConfigKey]:
    path = scope.path(node.func) or ""
    module, _, function = path.rpartition(".")
    if module in MODULES and function == "patch":
        yield from (_key(spot, module, key, KeyUse.PATCHED) for key in _patched(node, scope))
    elif last_name(node.func) == "setattr" and len(node.args) > 1:
        owner = scope.path(node.args[0])
        if owner in MODULES and constant(node.args[1]) is None:
            yield _key(spot, owner, "", KeyUse.SET)
    for keyword in node.keywords:
        if keyword.arg == _KEYWORD or (keyword.arg and keyword.arg == _TAKERS.get(path)):
            found = _of_dict(keyword.value, scope)
            yield from (_key(spot, _INDUCTOR, key, KeyUse.PASSED) for key in found)


def _key(spot: Spot, module: str, key: str, use: KeyUse) -> ConfigKey:
    return ConfigKey(place=spot.place, module=module, key=key, use=use)


def _patched(node: ast.Call, scope: Scope) -> Iterator[str]:
    """Of ``patch("key", value)``, ``patch({"key": value})`` and ``patch(key=value)``."""
    if node.args:
        key = constant(node.args[0])
        yield from [key] if key is not None else _of_dict(node.args[0], scope)
    for keyword in node.keywords:
        yield from [keyword.arg] if keyword.arg is not None else _of_dict(keyword.value, scope)


def _of_dict(node: ast.expr, scope: Scope) -> Iterator[str]:
    """The keys of a dict; an empty one for what cannot be read."""
    if isinstance(node, ast.Constant) and node.value is None:
        return
    if isinstance(node, ast.Dict):
        for key, value in zip(node.keys, node.values, strict=True):
            if key is None:
                yield from _of_dict(value, scope)
            else:
                yield constant(key) or ""
        return
    if isinstance(node, ast.Name):
        bound = scope.value(node.id)
        if isinstance(bound, ast.Dict):
            yield from _of_dict(bound, scope)
            yield from _added(node.id, scope)
            return
    yield ""


def _added(name: str, scope: Scope) -> Iterator[str]:
    """The keys that a function puts into a dict of its own."""
    for node in own_nodes(scope.node):
        if (
            isinstance(node, ast.Subscript)
            and isinstance(node.ctx, ast.Store)
            and isinstance(node.value, ast.Name)
            and node.value.id == name
        ):
            yield constant(node.slice) or ""
