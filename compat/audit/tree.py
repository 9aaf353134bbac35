"""Reads a whole tree, a file at a time."""

from __future__ import annotations

import ast
import re
from collections.abc import Collection
from dataclasses import dataclass, field, replace
from pathlib import Path

from compat.audit.checks import check_at
from compat.audit.conditions import conditions_of
from compat.audit.model import (
    ConfigKey,
    NameUse,
    OperatorUse,
    StandIn,
    Switch,
    Tree,
    VersionCheck,
)
from compat.audit.names import names_at
from compat.audit.operators import operators_at
from compat.audit.scopes import spots
from compat.audit.settings import key_of, keys_at
from compat.audit.source import Module, Sources, UnreadableError, read
from compat.audit.stand_ins import stand_in_at
from compat.audit.switches import switches_at
from compat.audit.versions import names_of_the_version

# A file without any of these holds nothing that is looked for: it is not parsed.
_WORTH_PARSING = re.compile(rb"torch|TORCH|TRITON")
# What any finder looks at.
_KINDS = frozenset(
    {
        ast.Attribute, ast.Call, ast.ClassDef, ast.Compare, ast.Import, ast.ImportFrom, ast.Name,
        ast.Subscript,
    }
)  # fmt: skip
_HOLDS_THE_VERSION = re.compile(rb"__version__|metadata")


def read_tree(sources: Sources, asked: Collection[str]) -> Tree:
    """All that is found; ``asked`` are the members that torch is known to read of a ShapeEnv."""
    paths = list(sources.paths())
    running = {
        name
        for path in paths
        if _has(path, _HOLDS_THE_VERSION) and _has(path, _WORTH_PARSING)
        for name in _names_of_the_version(sources, path)
    }
    found = _Found(running=running, asked=asked)
    stand_ins = re.compile("|".join(map(re.escape, sorted(asked))).encode()) if asked else None
    for path in paths:
        if _has(path, _WORTH_PARSING) or (stand_ins and _has(path, stand_ins)):
            try:
                found.add(read(sources, path))
            except UnreadableError as error:
                found.unreadable[path.relative_to(sources.root).as_posix()] = str(error)
    return found.tree(len(paths))


def _has(path: Path, pattern: re.Pattern[bytes]) -> bool:
    try:
        return pattern.search(path.read_bytes()) is not None
    except OSError:
        return True  # To be read, and told that it cannot be.


def _names_of_the_version(sources: Sources, path: Path) -> set[str]:
    try:
        return names_of_the_version(read(sources, path))
    except UnreadableError:
        return set()  # It is told when it is read for all else.


@dataclass(kw_only=True)
class _Found:
    """What was found so far."""

    running: Collection[str]
    asked: Collection[str]
    unreadable: dict[str, str] = field(default_factory=dict)
    checks: list[VersionCheck] = field(default_factory=list)
    names: list[NameUse] = field(default_factory=list)
    keys: list[ConfigKey] = field(default_factory=list)
    operators: list[OperatorUse] = field(default_factory=list)
    switches: list[Switch] = field(default_factory=list)
    stand_ins: list[StandIn] = field(default_factory=list)

    def add(self, module: Module) -> None:
        for spot in spots(module, _KINDS):
            if (check := check_at(spot, self.running)) is not None:
                self.checks.append(check)
            for use in names_at(spot):
                name = replace(use, conditions=conditions_of(spot, self.running))
                if (key := key_of(name)) is not None:
                    self.keys.append(key)
                else:
                    self.names.append(name)
            for key in keys_at(spot):
                self.keys.append(replace(key, conditions=conditions_of(spot, self.running)))
            self.operators += operators_at(spot)
            self.switches += switches_at(spot)
            if (stand_in := stand_in_at(spot, self.asked)) is not None:
                self.stand_ins.append(stand_in)

    def tree(self, files: int) -> Tree:
        return Tree(
            files=files,
            unreadable=self.unreadable,
            checks=tuple(sorted(self.checks, key=lambda each: each.place)),
            names=tuple(sorted(self.names, key=lambda each: (each.place, each.path))),
            keys=tuple(sorted(self.keys, key=lambda each: (each.place, each.key))),
            operators=tuple(sorted(self.operators, key=lambda each: (each.place, each.path))),
            switches=tuple(sorted(self.switches, key=lambda each: (each.place, each.name))),
            stand_ins=tuple(sorted(self.stand_ins, key=lambda each: each.place)),
        )
