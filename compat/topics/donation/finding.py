"""What donation saves, and what a donated graph is still fit for."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from compat.runs.ids import BuildId, CellId
from compat.runs.model import Outcome
from compat.topics.donation.records import Afterwards, Copies, Memory, Time
from compat.topics.matrix import Matrix, Seen

DONATED, KEPT = "donated", "standalone"


@dataclass(frozen=True, kw_only=True)
class Copying:
    """How often standalone_compile copies the graph on a build, where both ways were counted."""

    build: BuildId
    kept: int
    donated: int
    cells: tuple[CellId, ...]


@dataclass(frozen=True, kw_only=True)
class Timed:
    """What a copy and a compilation of a graph of so many nodes take on a build."""

    nodes: str
    record: Time


@dataclass(frozen=True, kw_only=True)
class Saving:
    """What was measured on the newest build of a device and a Python that has donation."""

    build: BuildId
    times: tuple[Timed, ...]
    memory: tuple[Memory, ...]
    cells: tuple[CellId, ...]


@dataclass(frozen=True, kw_only=True)
class Way:
    """A way to use a graph that was donated, and what came of it.

    Attributes:
        output: The form in which the graph returns its only output: in a ``tuple``, or ``bare``.
    """

    use: str
    output: str
    record: Afterwards


@dataclass(frozen=True, kw_only=True)
class Fitness:
    """What a graph that was donated may be used for on a build.

    Attributes:
        fits: What still works.
        losses: What no longer works.
        never: What did not work before it was donated either.
        unknown: How many ways to use it were not asked to the end.
        cells: All that were asked.
    """

    build: BuildId
    fits: tuple[Way, ...]
    losses: tuple[Way, ...]
    never: tuple[Way, ...]
    unknown: int
    cells: tuple[CellId, ...]


@dataclass(frozen=True, kw_only=True)
class Donation:
    """Each in the order of the run's builds; a build of which nothing is known is left out."""

    copying: tuple[Copying, ...]
    savings: tuple[Saving, ...]
    fitness: tuple[Fitness, ...]


def find(matrix: Matrix) -> Donation:
    builds = [build.id for build in matrix.builds]
    copying = (_copying(matrix, build) for build in builds)
    fitness = (_fitness(matrix, build) for build in builds)
    return Donation(
        copying=tuple(each for each in copying if each is not None),
        savings=_newest(_saving(matrix, build) for build in builds),
        fitness=tuple(each for each in fitness if each is not None),
    )


def _copying(matrix: Matrix, build: BuildId) -> Copying | None:
    kept = _first(matrix.seen(Copies, build, path=KEPT))
    donated = _first(matrix.seen(Copies, build, path=DONATED))
    if kept is None or donated is None:
        return None
    (kept_cell, before), (donated_cell, after) = kept, donated
    return Copying(
        build=build, kept=before.copies, donated=after.copies, cells=(kept_cell, donated_cell)
    )


def _first(seen: Sequence[Seen[Copies]]) -> tuple[CellId, Copies] | None:
    return next(((each.cell.id, each.record) for each in seen if each.record is not None), None)


def _saving(matrix: Matrix, build: BuildId) -> Saving:
    times, memory = matrix.seen(Time, build), matrix.seen(Memory, build)
    seen: list[Seen[Any]] = [*times, *memory]
    return Saving(
        build=build,
        times=tuple(
            Timed(nodes=each.cell.params.get("nodes", ""), record=each.record)
            for each in times
            if each.record is not None
        ),
        memory=tuple(each.record for each in memory if each.record is not None),
        cells=tuple(each.cell.id for each in seen if each.record is not None),
    )


def _newest(savings: Iterable[Saving]) -> tuple[Saving, ...]:
    """The last one with a measurement, of each device and Python."""
    return tuple({each.build.line: each for each in savings if each.cells}.values())


def _fitness(matrix: Matrix, build: BuildId) -> Fitness | None:
    asked = [
        each
        for each in matrix.seen(Afterwards, build, flag=DONATED)
        if each.cell.outcome is not Outcome.UNSUPPORTED
    ]
    if all(each.record is None for each in asked):
        return None
    known = [
        Way(
            use=each.cell.params.get("use", ""),
            output=each.cell.params.get("output", ""),
            record=each.record,
        )
        for each in asked
        if each.record is not None
    ]
    worked = [each for each in known if each.record.works_before]
    return Fitness(
        build=build,
        fits=tuple(each for each in worked if each.record.works),
        losses=tuple(each for each in worked if not each.record.works),
        never=tuple(each for each in known if not each.record.works_before),
        unknown=len(asked) - len(known),
        cells=tuple(each.cell.id for each in asked),
    )
