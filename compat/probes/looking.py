"""Looks names, config keys and operators up in the build, and says what there is of them."""

from __future__ import annotations

import contextlib
import importlib
from collections.abc import Sequence
from pathlib import PurePath
from types import ModuleType
from typing import Any

import torch

from compat.interface.surface import accepts, describe, resolve
from compat.topics.surface.records import Key, Name, Operator

# A longer default is cut: it is to be told from another one, not to be read.
_LONGEST = 300
_PLAIN = (bool, int, float, str, bytes, type(None))

# Importing them registers operators that are not there otherwise.
_REGISTERING = (
    "torch._higher_order_ops",
    "torch._inductor.fx_passes.bucketing",
    "torch.distributed._symmetric_memory",
)


def name(path: str, parameters: Sequence[str], subjects: Sequence[str]) -> Name:
    """What the build has of a name, and which of ``parameters`` it does not take."""
    users = tuple(subjects)
    try:
        found = resolve(path)
    except (ImportError, AttributeError) as error:
        why = _why_unknown(error)
        there = None if why else False
        return Name(there=there, signature="", refused=(), unknown=why, subjects=users)
    except Exception as error:  # noqa: BLE001  (importing a module of torch may raise anything)
        why = f"{type(error).__name__}: {error}"[:_LONGEST]
        return Name(there=None, signature="", refused=(), unknown=why, subjects=users)
    refused = tuple(each for each in parameters if callable(found) and not _takes(found, each))
    return Name(there=True, signature=describe(found), refused=refused, subjects=users)


def _why_unknown(error: ImportError | AttributeError) -> str:
    """Why a name that is not found may be there all the same; empty if it is gone."""
    if isinstance(error, AttributeError):
        # Of modules and classes torch's source says what they have.
        if isinstance(error.obj, (ModuleType, type)):
            return ""
        owner = type(error.obj)
        return f"an object of type {owner.__module__}.{owner.__qualname__} may get it later"
    missing = (error.name or "").partition(".")[0]
    if isinstance(error, ModuleNotFoundError) and missing and missing != torch.__name__:
        return f"its module imports {missing}, which is not installed"
    return ""


def _takes(function: Any, parameter: str) -> bool:
    try:
        return accepts(function, parameter)
    except (TypeError, ValueError):
        return True  # It is built in and tells nobody what it takes.


def key(module: str, path: str, subjects: Sequence[str]) -> Key:
    """What a config module has of a key.

    The default is the one that torch's source gives, whatever this process or its environment has
    set since; see ``torch/utils/_config_module.py``. A path is not told: it is the machine's.
    """
    entries = vars(importlib.import_module(module)).get("_config")
    short = path.removeprefix(f"{module}.")
    if isinstance(entries, dict) and short in entries:
        entry = entries[short]
        alias = getattr(entry, "alias", None)
        default = (
            f"alias of {alias}" if alias else _written(getattr(entry, "default", entry))[:_LONGEST]
        )
        return Key(there=True, default=default, subjects=tuple(subjects))
    try:
        value = resolve(path)
    except (ImportError, AttributeError):
        return Key(there=False, default="", subjects=tuple(subjects))
    # A group of keys.
    return Key(there=True, default=describe(value), subjects=tuple(subjects))


def _written(value: Any) -> str:
    """A default as it is written, alike in every process: no address, no order of a set's."""
    if isinstance(value, str) and PurePath(value).is_absolute():
        return "a path"
    if isinstance(value, dict):
        inner = (f"{_written(name)}: {_written(each)}" for name, each in value.items())
        return f"{{{', '.join(inner)}}}"
    if isinstance(value, (list, tuple)):
        begin, end = "[]" if isinstance(value, list) else "()"
        return f"{begin}{', '.join(map(_written, value))}{end}"
    if isinstance(value, (set, frozenset)):
        return f"{{{', '.join(sorted(map(_written, value)))}}}"
    return repr(value) if isinstance(value, _PLAIN) else describe(value)


def operator(path: str, subjects: Sequence[str]) -> Operator:
    """What the build has registered under a name: ``aten.mm``, or ``aten.mm.default``."""
    for module in _REGISTERING:
        with contextlib.suppress(ImportError):
            importlib.import_module(module)
    found: Any = torch.ops
    try:
        for part in path.split("."):
            found = getattr(found, part)
    except AttributeError:
        return Operator(there=False, schemas=(), subjects=tuple(subjects))
    return Operator(there=True, schemas=_schemas(found), subjects=tuple(subjects))


def _schemas(found: Any) -> tuple[str, ...]:
    schema = getattr(found, "_schema", None)
    if isinstance(schema, torch._C.FunctionSchema):
        return (str(schema),)
    if isinstance(found, torch._ops.OpOverloadPacket):
        return tuple(str(getattr(found, each)._schema) for each in sorted(found.overloads()))
    return (describe(found),)
