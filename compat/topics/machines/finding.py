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
class Oddities:
    """All oddities: by check and by what was odd, then by build."""

    found: Mapping[tuple[str, str], Mapping[BuildId, OnBuild]]


def find(matrix: Matrix) -> Oddities:
    found: dict[tuple[str, str], dict[BuildId, OnBuild]] = {}
    for build in matrix.builds:
        for seen in matrix.seen(Calls, build.id):
            if seen.record is not None:
                for name, went in seen.record.went.items():
                    by_build = found.setdefault((seen.cell.check, name), {})
                    by_build[build.id] = OnBuild(went=went, cell=seen.cell.id)
    return Oddities(found=found)
