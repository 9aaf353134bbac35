"""Derives what the matrix is to watch from what source trees ask of torch."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import TypeVar

from compat.audit.model import NameUse, Tree, Use
from compat.audit.names import is_private
from compat.runs.ids import BUILTIN
from compat.subjects.spec import DRIVEN
from compat.topics.surface.watched import Watched

T = TypeVar("T")

_TESTS = "torch.testing."
# What compiles: of projects that are only read, what they ask of all else is left to others.
_COMPILER = re.compile(
    r"torch\.(_inductor|_dynamo|_functorch|_guards|_higher_order_ops|_subclasses|_library|_logging"
    r"|_opaque_base|_ops|_prims|_decomp|_refs|_export|_lazy|compiler|export|fx|library|utils\._pytree"
    r"|_C\._(dynamo|functorch))\b"
)
# An overload other than the default one: these go while the operator stays.
_OVERLOAD = re.compile(r"\w+\.\w+\.(?!default$)\w+")
# What the source of this project's interface does not tell: a method of an object that torch gave
# it, keywords that it passes in a dict.
_UNTOLD: Mapping[str, tuple[str, ...]] = {
    "torch._inductor.CompiledArtifact.save": ("format", "path"),
    "torch._inductor.standalone_compile": ("dynamic_shapes", "options"),
}


def derive(trees: Mapping[str, Tree]) -> Watched:
    """What the trees of subjects ask of torch; that of the builtin subject is among them.

    Of a project that is driven all counts; of another one the names that belong to the compiler,
    and overloads that it asks for by name.

    The owner of what is replaced is a name, too: in a ``threading.local`` what is assigned is there
    only from then on.
    """
    names: dict[str, dict[str, tuple[str, ...]]] = {}
    keys: dict[str, list[str]] = {}
    operators: dict[str, list[str]] = {}
    for subject, tree in trees.items():
        project = subject.partition("==")[0]
        driven = project in (BUILTIN, *DRIVEN)
        for path, passed in _names(tree, project).items():
            if not driven and not _COMPILER.match(path):
                continue
            names.setdefault(path, {})[subject] = passed
        for key in {each.path for each in tree.keys if each.key}:
            keys.setdefault(key, []).append(subject)
        for path in {each.path for each in tree.operators}:
            if not driven and not _OVERLOAD.fullmatch(path):
                continue
            operators.setdefault(path, []).append(subject)
    for path, passed in _UNTOLD.items():
        names.setdefault(path, {})[BUILTIN] = passed
    return Watched(
        subjects=[subject for subject in trees if subject != BUILTIN],
        names=_sorted(names),
        keys=_sorted(keys),
        operators=_sorted(operators),
    )


def to_text(watched: Watched) -> str:
    """As JSON: a line for each name, key and operator, so that a change reads well."""
    parts = [f'"subjects": {json.dumps(watched.subjects)}']
    for title in ("names", "keys", "operators"):
        found = getattr(watched, title).items()
        lines = (f"{json.dumps(path)}: {json.dumps(users)}" for path, users in found)
        parts.append(f'"{title}": {{\n' + ",\n".join(lines) + "\n}")
    return "{\n" + ",\n".join(parts) + "\n}\n"


def _names(tree: Tree, project: str) -> Mapping[str, tuple[str, ...]]:
    """By name: the keywords that every call of it passes.

    What is called after the project is its own, which it put into torch: ``save._vllm_patched``.
    Torch's tests import what is not beside a build.
    """
    uses: dict[str, list[NameUse]] = {}
    for use in tree.names:
        is_own = project != BUILTIN and project in use.path.rpartition(".")[2]
        if is_own or use.path.startswith(_TESTS):
            continue
        uses.setdefault(use.path, []).append(use)
        owner = use.path.rpartition(".")[0]
        if use.use is Use.PATCHED and is_private(owner):
            uses.setdefault(owner, [])
    return {path: _always_passed(found) for path, found in uses.items()}


def _always_passed(uses: Iterable[NameUse]) -> tuple[str, ...]:
    keywords = [set(use.call.keywords) for use in uses if use.call is not None]
    return tuple(sorted(set.intersection(*keywords))) if keywords else ()


def _sorted(found: Mapping[str, T]) -> dict[str, T]:
    return dict(sorted(found.items()))
