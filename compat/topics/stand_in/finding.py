"""Which members of the ShapeEnv stand-in torch reads and needs, and where that changes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from itertools import pairwise

from compat.runs.ids import BuildId, CellId
from compat.topics.matrix import Matrix, by_line
from compat.topics.stand_in.records import Needs, Reads


class Need(str, Enum):
    """What torch does with a member."""

    NEEDED = "needed"  # saving or loading fails without it
    READ = "read"
    UNREAD = "unread"
    UNKNOWN = "unknown"

    @classmethod
    def of(cls, record: Needs | None) -> Need:
        if record is None:
            return cls.UNKNOWN
        if record.needed:
            return cls.NEEDED
        return cls.READ if record.read else cls.UNREAD


@dataclass(frozen=True, kw_only=True)
class Step:
    """What torch begins, or ceases, to need from one build to the next of its device and Python.

    Attributes:
        before: The nearest older build of which as much is known.
    """

    before: BuildId
    after: BuildId
    begins: tuple[str, ...]
    ceases: tuple[str, ...]
    cells: tuple[CellId, ...]


@dataclass(frozen=True, kw_only=True)
class StandIn:
    """The stand-in on all builds.

    Attributes:
        members: By member, then by build.
        unknown: By build: members that torch reads and the stand-in does not have; None where what
            it reads is not known.
        cells: By build: those that say what it reads.
    """

    members: Mapping[str, Mapping[BuildId, Need]]
    unknown: Mapping[BuildId, tuple[str, ...] | None]
    cells: Mapping[BuildId, tuple[CellId, ...]]
    steps: tuple[Step, ...]


def find(matrix: Matrix) -> StandIn:
    builds = [build.id for build in matrix.builds]
    members = {
        member: {build: _need(matrix, build, member) for build in builds}
        for member in matrix.values(Needs, "member")
    }
    return StandIn(
        members=members,
        unknown={build: _unknown(matrix, build) for build in builds},
        cells={
            build: tuple(each.cell.id for each in matrix.seen(Reads, build)) for build in builds
        },
        steps=tuple(
            step
            for line in by_line(matrix.builds)
            for step in _steps(matrix, line, members)
            if step.begins or step.ceases
        ),
    )


def _need(matrix: Matrix, build: BuildId, member: str) -> Need:
    records = matrix.records(Needs, build, member=member)
    return Need.of(records[0] if records else None)


def _unknown(matrix: Matrix, build: BuildId) -> tuple[str, ...] | None:
    records = matrix.records(Reads, build)
    return records[0].unknown if records else None


def _steps(
    matrix: Matrix, line: list[BuildId], members: Mapping[str, Mapping[BuildId, Need]]
) -> list[Step]:
    """Between neighbours, member by member, so that one unknown hides no change of another."""
    begins: dict[tuple[BuildId, BuildId], list[str]] = {}
    ceases: dict[tuple[BuildId, BuildId], list[str]] = {}
    for member, needs in members.items():
        known = [build for build in line if needs[build] is not Need.UNKNOWN]
        for pair in pairwise(known):
            was, became = (needs[build] is Need.NEEDED for build in pair)
            if became and not was:
                begins.setdefault(pair, []).append(member)
            elif was and not became:
                ceases.setdefault(pair, []).append(member)
    return [
        Step(
            before=before,
            after=after,
            begins=tuple(begins.get((before, after), ())),
            ceases=tuple(ceases.get((before, after), ())),
            cells=tuple(
                each.cell.id
                for build in (before, after)
                for member in (*begins.get((before, after), ()), *ceases.get((before, after), ()))
                for each in matrix.seen(Needs, build, member=member)
            ),
        )
        for before, after in sorted(
            {*begins, *ceases}, key=lambda pair: (line.index(pair[1]), line.index(pair[0]))
        )
    ]
