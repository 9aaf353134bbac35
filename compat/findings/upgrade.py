"""The upgrade table: gates and workarounds of downstreams, build by build, as plain data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

from compat.runs.ids import BuildId, CellId
from compat.topics.gates.finding import Gate, Gates, Verdict
from compat.topics.matrix import Matrix, by_line
from compat.topics.workarounds import finding as workarounds
from compat.topics.workarounds.finding import OnBuild, Row, Workarounds


class Kind(str, Enum):
    """What a row is about."""

    GATE = "gate"  # of a feature that some builds have
    WORKAROUND = "workaround"  # of trouble that some builds make


class State(str, Enum):
    """What a build has of a gate's feature, or needs of a workaround."""

    THERE = "there"
    NOT_THERE = "not there"
    NEEDED = "needed"
    NOT_NEEDED = "not needed"
    UNKNOWN = "unknown"


@dataclass(frozen=True, kw_only=True)
class OnABuild:
    """What a row says of one build.

    Attributes:
        fits: Whether the gate decides rightly there; None where that is unknown. A workaround that
            is applied and not needed does not fit, nor does a feature that is there and unused.
    """

    state: State
    fits: bool | None
    cells: tuple[CellId, ...]


@dataclass(frozen=True, kw_only=True)
class UpgradeRow:
    """A gate or a workaround over all builds.

    Attributes:
        ships: The downstream's releases that have it; empty where it is known by its source alone.
        gate: The rule as it is shipped; empty where there is none.
        source: Where the rule comes from, or the public report: an address, or a reference.
        on: By build, in the order of the run.
        delete_from: By device and Python: the build that has to be the oldest one supported before
            the gate or the workaround can go; None where no build here is such.
        control: By device and Python: whether some build there needs it, or lacks the feature: else
            nothing shows that the probe can see the difference.
    """

    kind: Kind
    name: str
    ships: tuple[str, ...]
    gate: str
    source: str
    on: Mapping[BuildId, OnABuild]
    delete_from: Mapping[tuple[str, str], BuildId | None]
    control: Mapping[tuple[str, str], bool]


_FEATURE = {
    Verdict.USED: (State.THERE, True),
    Verdict.MISSED: (State.THERE, False),
    Verdict.BROKEN: (State.NOT_THERE, False),
    Verdict.ABSENT: (State.NOT_THERE, True),
    Verdict.UNKNOWN: (State.UNKNOWN, None),
}
_WORKAROUND = {
    workarounds.State.NEEDED: State.NEEDED,
    workarounds.State.NOT_NEEDED: State.NOT_NEEDED,
    workarounds.State.ABSENT: State.NOT_THERE,
    workarounds.State.UNKNOWN: State.UNKNOWN,
}


def upgrade_rows(matrix: Matrix, gates: Gates, found: Workarounds) -> list[UpgradeRow]:
    """All rows, gates first, each in the order of its table."""
    return [
        *(_gate_row(matrix, gate) for gate in gates.gates),
        *(_workaround_row(row) for row in found.rows),
    ]


def _gate_row(matrix: Matrix, gate: Gate) -> UpgradeRow:
    on = {
        build: OnABuild(state=state, fits=fits, cells=gate.cells[build])
        for build, verdict in gate.verdicts.items()
        for state, fits in (_FEATURE[verdict],)
    }
    lines = by_line(matrix.builds)
    return UpgradeRow(
        kind=Kind.GATE,
        name=gate.feature,
        ships=(),
        gate=f">={gate.floor}" if gate.floor else "",
        source=gate.source,
        on=on,
        delete_from={
            line[0].line: _first_of_the_last([build for build in line if build in on], on)
            for line in lines
        },
        control={
            line[0].line: any(on[build].state is State.NOT_THERE for build in line if build in on)
            for line in lines
        },
    )


def _first_of_the_last(builds: Sequence[BuildId], on: Mapping[BuildId, OnABuild]) -> BuildId | None:
    """The build from which on all have the feature, as far as they are known."""
    first = None
    for build in reversed(builds):
        if on[build].state is State.NOT_THERE:
            break
        if on[build].state is State.THERE:
            first = build
    return first


def _workaround_row(row: Row) -> UpgradeRow:
    workaround = row.workaround
    keys = [next(iter(line.on)).line for line in row.lines]
    return UpgradeRow(
        kind=Kind.WORKAROUND,
        name=workaround.name,
        ships=tuple(each.label for each in workaround.shipped),
        gate=workaround.gate,
        source=workaround.upstream,
        on={
            build: OnABuild(state=_WORKAROUND[each.state], fits=_fits(each), cells=each.cells)
            for build, each in row.on.items()
        },
        delete_from={
            key: line.free[0] if line.free else None
            for key, line in zip(keys, row.lines, strict=True)
        },
        control={
            key: bool(line.those(workarounds.State.NEEDED))
            for key, line in zip(keys, row.lines, strict=True)
        },
    )


def _fits(each: OnBuild) -> bool | None:
    known = {workarounds.State.NEEDED, workarounds.State.NOT_NEEDED}
    if each.applied is None or each.state not in known:
        return None
    return not (each.missed or each.idle)
