"""What odd machines make of compiled functions, and on which builds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from compat.runs.ids import BuildId, CellId
from compat.topics.machines.records import Calls, Went
from compat.topics.matrix import Matrix


@dataclass(frozen=True, kw_only=True)
class OnBuild:
    """One oddity on one build."""

    went: Went
    cell: CellId


@dataclass(frozen=True, kw_only=True)
class Oddity:
    """One oddity, on all builds.

    Attributes:
        check: That asked.
        name: What was odd.
    """

    check: str
    name: str
    builds: Mapping[BuildId, OnBuild]


@dataclass(frozen=True, kw_only=True)
class Oddities:
    """All oddities."""

    found: tuple[Oddity, ...]


def find(matrix: Matrix) -> Oddities:
    found: dict[tuple[str, str], dict[BuildId, OnBuild]] = {}
    for build in matrix.builds:
        for seen in matrix.seen(Calls, build.id):
            if seen.record is not None:
                for name, went in seen.record.went.items():
                    by_build = found.setdefault((seen.cell.check, name), {})
                    by_build[build.id] = OnBuild(went=went, cell=seen.cell.id)
    return Oddities(
        found=tuple(
            Oddity(check=check, name=name, builds=builds) for (check, name), builds in found.items()
        )
    )
