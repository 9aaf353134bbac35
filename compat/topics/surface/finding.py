"""What changed in the private names from build to build."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

from compat.runs.ids import BuildId, CellId
from compat.topics.matrix import Matrix, by_line
from compat.topics.surface.records import Name


@dataclass(frozen=True, kw_only=True)
class Step:
    """A private name that differs between two builds of one device and Python.

    Attributes:
        before: The nearest older build of which it is known.
    """

    name: str
    before: BuildId
    after: BuildId
    was: Name
    became: Name
    cells: tuple[CellId, ...]


@dataclass(frozen=True, kw_only=True)
class Surface:
    """All changes.

    Attributes:
        unknown: By build: of how many of the names that it was asked about nothing is known.
    """

    steps: tuple[Step, ...]
    unknown: Mapping[BuildId, int]


def find(matrix: Matrix) -> Surface:
    unknown = {
        build.id: sum(each.record is None for each in matrix.seen(Name, build.id))
        for build in matrix.builds
    }
    return Surface(
        steps=tuple(
            step
            for name in matrix.values(Name, "name")
            for line in by_line(matrix.builds)
            for step in _steps(matrix, name, line)
        ),
        unknown={build: number for build, number in unknown.items() if number},
    )


def _steps(matrix: Matrix, name: str, line: list[BuildId]) -> list[Step]:
    known = [
        (each.cell, each.record)
        for build in line
        for each in matrix.seen(Name, build, name=name)
        if each.record is not None
    ]
    return [
        Step(
            name=name,
            before=old.build,
            after=new.build,
            was=was,
            became=became,
            cells=(old.id, new.id),
        )
        for (old, was), (new, became) in pairwise(known)
        if was != became
    ]
