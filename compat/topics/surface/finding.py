"""What changed in the private names, config keys and operators from build to build."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Generic, TypeVar

from compat.runs.ids import BuildId, CellId
from compat.topics.matrix import Matrix, by_line
from compat.topics.surface.records import Config, Key, Name, Operator, Operators, Used

T = TypeVar("T", Name, Key, Operator)


@dataclass(frozen=True, kw_only=True)
class Step(Generic[T]):
    """A name, key or operator that differs between two builds of one device and Python.

    Attributes:
        before: The nearest older build of which it is known.
    """

    name: str
    before: BuildId
    after: BuildId
    was: T
    became: T
    cells: tuple[CellId, ...]


@dataclass(frozen=True, kw_only=True)
class Watch:
    """What a subject uses, over all builds: by dotted path.

    Attributes:
        asked: All that is asked of a build for it.
        lacking: What some build lacks: the builds that do.
        differing: What is there wherever it is known, and not the same everywhere: other
            parameters, another default, another schema.
    """

    asked: Sequence[str]
    lacking: Mapping[str, Sequence[BuildId]]
    differing: Sequence[str]


@dataclass(frozen=True, kw_only=True)
class Surface:
    """All changes.

    Attributes:
        steps: Of the names that the interface leans on.
        used: Of those that only other subjects use.
        keys: Of config keys.
        operators: Of operators.
        unknown: By build: of how many of the names that it was asked about nothing is known.
        subjects: By subject: how what it uses fares.
    """

    steps: tuple[Step[Name], ...]
    used: tuple[Step[Name], ...]
    keys: tuple[Step[Key], ...]
    operators: tuple[Step[Operator], ...]
    unknown: Mapping[BuildId, int]
    subjects: Mapping[str, Watch]


@dataclass(frozen=True)
class Told(Generic[T]):
    """What a cell recorded of one name, key or operator."""

    cell: CellId
    found: T


def own_names_on(matrix: Matrix, build: BuildId) -> Iterator[tuple[str, Told[Name]]]:
    """What a build has of the names that the interface leans on, by dotted path."""
    for each in matrix.seen(Name, build):
        name = each.cell.params.get("name")
        if each.record is not None and name is not None:
            # Older runs tell the module of a name apart from the rest.
            yield name.replace(":", "."), Told(each.cell.id, each.record)


def used_names_on(matrix: Matrix, build: BuildId) -> Iterator[tuple[str, Told[Name]]]:
    """Likewise, of those that only other subjects use."""
    for each in matrix.seen(Used, build):
        for path, name in (each.record.names if each.record else {}).items():
            yield path, Told(each.cell.id, name)


def keys_on(matrix: Matrix, build: BuildId) -> Iterator[tuple[str, Told[Key]]]:
    """Likewise, of config keys."""
    for each in matrix.seen(Config, build):
        for path, key in (each.record.keys if each.record else {}).items():
            yield path, Told(each.cell.id, key)


def operators_on(matrix: Matrix, build: BuildId) -> Iterator[tuple[str, Told[Operator]]]:
    """Likewise, of operators."""
    for each in matrix.seen(Operators, build):
        for name, operator in (each.record.operators if each.record else {}).items():
            yield name, Told(each.cell.id, operator)


def find(matrix: Matrix) -> Surface:
    builds = [build.id for build in matrix.builds]
    own = {build: dict(own_names_on(matrix, build)) for build in builds}
    used = {build: dict(used_names_on(matrix, build)) for build in builds}
    keys = {build: dict(keys_on(matrix, build)) for build in builds}
    operators = {build: dict(operators_on(matrix, build)) for build in builds}
    lines = by_line(matrix.builds)
    unknown = {build: _unknown(matrix, build) for build in builds}
    return Surface(
        steps=tuple(_steps(own, lines)),
        used=tuple(_steps(used, lines)),
        keys=tuple(_steps(keys, lines)),
        operators=tuple(_steps(operators, lines)),
        unknown={build: number for build, number in unknown.items() if number},
        subjects=_by_subject([own, used, keys, operators]),
    )


def _unknown(matrix: Matrix, build: BuildId) -> int:
    """Of how many names nothing is known; a cell without a record counts as one."""
    silent = sum(each.record is None for each in matrix.seen(Name, build))
    silent += sum(each.record is None for each in matrix.seen(Used, build))
    names = [*own_names_on(matrix, build), *used_names_on(matrix, build)]
    return silent + sum(told.found.there is None for _, told in names)


def _steps(
    on: Mapping[BuildId, Mapping[str, Told[T]]], lines: Sequence[Sequence[BuildId]]
) -> Iterator[Step[T]]:
    for name in dict.fromkeys(name for found in on.values() for name in found):
        for line in lines:
            known = [
                (build, told)
                for build in line
                if (told := on[build].get(name)) is not None and told.found.there is not None
            ]
            for (before, old), (after, new) in pairwise(known):
                if _says(old.found) != _says(new.found):
                    yield Step(
                        name=name,
                        before=before,
                        after=after,
                        was=old.found,
                        became=new.found,
                        cells=(old.cell, new.cell),
                    )


def _says(found: Name | Key | Operator) -> object:
    """What two builds are told apart by; who uses it is no part of that."""
    if isinstance(found, Name):
        return found.there, found.signature, found.refused
    if isinstance(found, Key):
        return found.there, found.default
    return found.there, found.schemas


def _by_subject(
    kinds: Sequence[Mapping[BuildId, Mapping[str, Told[Name] | Told[Key] | Told[Operator]]]],
) -> dict[str, Watch]:
    found: dict[str, dict[str, dict[BuildId, Name | Key | Operator]]] = {}
    for kind in kinds:
        for build, by_path in kind.items():
            for path, told in by_path.items():
                for subject in told.found.subjects:
                    found.setdefault(subject, {}).setdefault(path, {})[build] = told.found
    return {subject: _watch(found[subject]) for subject in sorted(found)}


def _watch(by_path: Mapping[str, Mapping[BuildId, Name | Key | Operator]]) -> Watch:
    lacking = {
        path: [build for build, each in on.items() if each.there is False]
        for path, on in sorted(by_path.items())
    }
    return Watch(
        asked=sorted(by_path),
        lacking={path: builds for path, builds in lacking.items() if builds},
        differing=[
            path
            for path, on in sorted(by_path.items())
            if not lacking[path] and len({_says(each) for each in on.values() if each.there}) > 1
        ],
    )
