"""How the work of a compilation changes from build to build."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

from compat.runs.answers import Change, relate
from compat.runs.ids import BuildId, CellId
from compat.topics.cost.answers import CALLS
from compat.topics.cost.records import Work
from compat.topics.matrix import Matrix, Seen


@dataclass(frozen=True, kw_only=True)
class Step:
    """The work of one compilation on a build, and on the build before that counted it.

    Attributes:
        layers: The size of the graph.
        calls_before: Calls of Python functions on ``before``,
        calls: and on ``after``.
    """

    path: str
    layers: str
    before: BuildId
    after: BuildId
    calls_before: int
    calls: int
    cells: tuple[CellId, CellId]

    @property
    def ratio(self) -> float:
        """How many times as many calls there are."""
        return self.calls / self.calls_before

    @property
    def change(self) -> Change:
        return relate(CALLS, self.calls_before, self.calls)


@dataclass(frozen=True, kw_only=True)
class Cost:
    """All steps between builds that share device and Python, oldest first."""

    steps: tuple[Step, ...]


def find(matrix: Matrix) -> Cost:
    return Cost(
        steps=tuple(
            step
            for line in dict.fromkeys(build.id.line for build in matrix.builds)
            for layers in matrix.values(Work, "layers")
            for path in matrix.values(Work, "path")
            for step in _steps(matrix, line, layers, path)
        )
    )


def _steps(matrix: Matrix, line: tuple[str, str], layers: str, path: str) -> Iterable[Step]:
    counted = [
        (seen, record)
        for build in matrix.builds
        if build.id.line == line
        for seen in matrix.seen(Work, build.id, layers=layers, path=path)
        if (record := _counted(seen)) is not None
    ]
    for (before, was), (after, now) in pairwise(counted):
        yield Step(
            path=path,
            layers=layers,
            before=before.cell.build,
            after=after.cell.build,
            calls_before=was.calls,
            calls=now.calls,
            cells=(before.cell.id, after.cell.id),
        )


def _counted(seen: Seen[Work]) -> Work | None:
    """The record of a cell; one that counted nothing has nothing to compare with."""
    return seen.record if seen.record is not None and seen.record.calls > 0 else None
