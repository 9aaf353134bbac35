"""Looks up the private part of torch: what a name stands for, and how it is called."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable, Sequence
from types import ModuleType
from typing import Any


def resolve(path: str) -> Any:
    """What a dotted name stands for, the way ``from a.b import c`` and ``a.b.c`` have it.

    A function goes before a submodule of the same name, unless more of the name is below it.

    Raises:
        ImportError: A module cannot be imported.
        AttributeError: There is no such name.
    """
    parts = path.split(".")
    found, read = _module(parts)
    for part in parts[read:]:
        is_one = read + 1 == len(parts)
        if is_one and not hasattr(found, part) and (module := _import(path)) is not None:
            return module
        found = getattr(found, part)
    return found


def _module(parts: Sequence[str]) -> tuple[Any, int]:
    """The longest part of a name, but for its last, that is a module; how many parts that is."""
    for size in range(len(parts) - 1, 0, -1):
        module = _import(".".join(parts[:size]))
        if module is not None:
            return module, size
    raise ModuleNotFoundError(f"No module named {parts[0]!r}", name=parts[0])


def _import(module: str) -> Any | None:
    """A module; None where it, or one that it is in, is not there."""
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name is not None and f"{module}.".startswith(f"{error.name}."):
            return None
        raise


def describe(found: Any) -> str:
    """What ``found`` is, in one line that changes when a caller has to: kind and parameters.

    Annotations and default values are left out: rewriting them breaks nobody.
    """
    if isinstance(found, ModuleType):
        return "module"
    if not callable(found):
        return f"value of type {type(found).__module__}.{type(found).__qualname__}"
    if inspect.isclass(found):
        return f"class{_parameters(found)}"
    return f"function{_parameters(found)}"


def accepts(function: Callable[..., Any], parameter: str) -> bool:
    """Whether ``function`` can be called with the keyword ``parameter``."""
    parameters = inspect.signature(function).parameters
    takes_any_keyword = any(p.kind is p.VAR_KEYWORD for p in parameters.values())
    return parameter in parameters or takes_any_keyword


def _parameters(function: Callable[..., Any]) -> str:
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):
        return "(…)"
    bare = [
        parameter.replace(
            annotation=inspect.Parameter.empty,
            default=inspect.Parameter.empty if parameter.default is parameter.empty else ...,
        )
        for parameter in signature.parameters.values()
    ]
    return str(inspect.Signature(bare)).replace("Ellipsis", "…").replace("=...", "=…")
