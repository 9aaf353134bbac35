"""Which builds need which workaround, whether its gate fits, and from where on it can go."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from packaging.specifiers import SpecifierSet

from compat.runs.ids import BuildId, CellId
from compat.runs.model import Build, Outcome
from compat.topics.matrix import Matrix, by_line
from compat.topics.rests import rests_on
from compat.topics.stand_in import finding as stand_in
from compat.topics.stand_in.finding import Need
from compat.topics.stand_in.records import Needs
from compat.topics.tracing_context import finding as tracing_context
from compat.topics.workarounds.records import Tried
from compat.topics.workarounds.table import WORKAROUNDS, Measured, Workaround


class State(str, Enum):
    """Whether a build needs a workaround."""

    NEEDED = "needed"
    NOT_NEEDED = "not needed"
    ABSENT = "not there"  # what it guards is no part of the build
    UNKNOWN = "unknown"


class Misfit(str, Enum):
    """What is wrong with a gate, among the builds of one device and Python."""

    OPENS_LATE = "the gate opens late"  # a build ahead of all that it lets in needs it
    CLOSES_EARLY = "the gate closes early"  # one behind them does
    MISSES = "the gate misses a build"  # one among them does, or it lets none in
    OPENS_EARLY = "the gate opens early"  # it lets in what comes ahead of all that need it
    CLOSES_LATE = "the gate closes late"  # or behind them


@dataclass(frozen=True, kw_only=True)
class OnBuild:
    """A workaround on one build.

    Attributes:
        applied: Whether the downstream's gate lets the build in; None where it has no version.
        works: Whether what goes wrong without it does not with it; None where that is unknown.
        failure: The signature of what goes wrong without it; empty where nothing does.
    """

    state: State
    applied: bool | None
    works: bool | None
    failure: str
    cells: tuple[CellId, ...]

    @property
    def missed(self) -> bool:
        return self.state is State.NEEDED and self.applied is False

    @property
    def idle(self) -> bool:
        return self.state is State.NOT_NEEDED and self.applied is True


@dataclass(frozen=True, kw_only=True)
class OnLine:
    """A workaround on the builds of one device and Python, oldest first.

    Attributes:
        misfits: By what is wrong with the gate: the builds on which it is.
        free: The builds behind the last one that needs it, which do not: from the first of them on
            it can be deleted. Empty where no build needs it: then nothing shows that the probe can
            see what goes wrong.
        untested: Builds behind the last one that needs it, of which nothing is known.
    """

    on: Mapping[BuildId, OnBuild]
    misfits: Mapping[Misfit, tuple[BuildId, ...]]
    free: tuple[BuildId, ...]
    untested: tuple[BuildId, ...]

    def those(self, state: State) -> list[BuildId]:
        return [build for build, each in self.on.items() if each.state is state]

    @property
    def cells(self) -> tuple[CellId, ...]:
        return tuple(cell for each in self.on.values() for cell in each.cells)


@dataclass(frozen=True, kw_only=True)
class Row:
    """A workaround, the builds that say something of it, and what they were asked with."""

    workaround: Workaround
    lines: tuple[OnLine, ...]
    rests: str

    @property
    def on(self) -> Mapping[BuildId, OnBuild]:
        return {build: each for line in self.lines for build, each in line.on.items()}


@dataclass(frozen=True, kw_only=True)
class Workarounds:
    """All that a run asks about, and those of the table that are measured nowhere."""

    rows: tuple[Row, ...]
    unmeasured: tuple[Workaround, ...]


@dataclass(frozen=True, kw_only=True)
class _Told:
    """What the topics that measure workarounds say of one on one build."""

    state: State
    works: bool | None = None
    failure: str = ""
    cells: tuple[CellId, ...] = ()


def find(matrix: Matrix) -> Workarounds:
    told = {
        Measured.PROBE: _tried(matrix),
        Measured.TRACING_CONTEXT: _of_tracing_context(matrix),
        Measured.STAND_IN: _of_stand_in(matrix),
    }
    rows = []
    for workaround in WORKAROUNDS.values():
        on = told.get(workaround.measured, {}).get(workaround.name, {})
        lines = tuple(
            line_of(workaround, builds, on)
            for builds in _lines(matrix)
            if any(build.id in on for build in builds)
        )
        if lines:
            cells = [cell for line in lines for name in line.cells if (cell := matrix.cell(name))]
            rests = workaround.asked or rests_on(cells)
            rows.append(Row(workaround=workaround, lines=lines, rests=rests))
    return Workarounds(
        rows=tuple(rows),
        unmeasured=tuple(each for each in WORKAROUNDS.values() if each.unmeasured),
    )


def _lines(matrix: Matrix) -> list[list[Build]]:
    builds = {build.id: build for build in matrix.builds}
    return [[builds[name] for name in names] for names in by_line(matrix.builds)]


def _tried(matrix: Matrix) -> Mapping[str, Mapping[BuildId, _Told]]:
    found: dict[str, dict[BuildId, _Told]] = {}
    for each in matrix.everywhere(Tried):
        cell, record = each.cell, each.record
        if record is not None:
            state = State.NEEDED if record.without else State.NOT_NEEDED
        else:
            absent = cell.outcome is Outcome.UNSUPPORTED
            state = State.ABSENT if absent else State.UNKNOWN
        found.setdefault(cell.params.get("name", ""), {})[cell.build] = _Told(
            state=state,
            works=None if record is None else not record.with_it,
            failure="" if record is None else record.without,
            cells=(cell.id,),
        )
    return found


def _of_tracing_context(matrix: Matrix) -> Mapping[str, Mapping[BuildId, _Told]]:
    found = tracing_context.find(matrix)
    ships = found.works.get("tls", {})
    on = {
        build: _Told(
            state=_state(needed),
            works=ships.get(build),
            failure=", ".join(found.failures.get(build, ())),
            cells=tuple(cell for cell in line.cells if cell.build == build),
        )
        for line in found.lines
        for build, needed in line.needed.items()
    }
    return {each.name: on for each in _measured(Measured.TRACING_CONTEXT)}


def _of_stand_in(matrix: Matrix) -> Mapping[str, Mapping[BuildId, _Told]]:
    found = stand_in.find(matrix)
    return {
        each.name: {
            build.id: _needs(matrix, build.id, found, each.members or tuple(found.members))
            for build in matrix.builds
            if matrix.seen(Needs, build.id)
        }
        for each in _measured(Measured.STAND_IN)
    }


def _needs(
    matrix: Matrix, build: BuildId, found: stand_in.StandIn, members: tuple[str, ...]
) -> _Told:
    """Of a stand-in with these members: needed as soon as one of them is."""
    needs = [found.members[member][build] for member in members if member in found.members]
    seen = [each for each in matrix.seen(Needs, build) if each.cell.params.get("member") in members]
    needed = True if Need.NEEDED in needs else None if Need.UNKNOWN in needs or not needs else False
    failures = [each.record.failure for each in seen if each.record and each.record.needed]
    return _Told(
        state=_state(needed),
        failure=", ".join(dict.fromkeys(failures)),
        cells=tuple(each.cell.id for each in seen),
    )


def _measured(measured: Measured) -> list[Workaround]:
    return [each for each in WORKAROUNDS.values() if each.measured is measured]


def _state(needed: bool | None) -> State:
    if needed is None:
        return State.UNKNOWN
    return State.NEEDED if needed else State.NOT_NEEDED


def line_of(workaround: Workaround, builds: list[Build], told: Mapping[BuildId, _Told]) -> OnLine:
    """A workaround on builds of one device and Python, oldest first."""
    unknown = _Told(state=State.UNKNOWN)
    on = {
        build.id: OnBuild(
            state=each.state,
            applied=_applied(workaround, build),
            works=each.works,
            failure=each.failure,
            cells=each.cells,
        )
        for build in builds
        for each in (told.get(build.id, unknown),)
    }
    needed = [index for index, each in enumerate(on.values()) if each.state is State.NEEDED]
    behind = list(on.items())[needed[-1] + 1 :] if needed else []
    return OnLine(
        on=on,
        misfits=_misfits(on, needed),
        free=tuple(build for build, each in behind if each.state is State.NOT_NEEDED),
        untested=tuple(build for build, each in behind if each.state is State.UNKNOWN),
    )


def _applied(workaround: Workaround, build: Build) -> bool | None:
    if not workaround.gate:
        return True
    if build.release is None:
        return None
    return SpecifierSet(workaround.gate).contains(build.release, prereleases=True)


def _misfits(
    on: Mapping[BuildId, OnBuild], needed: list[int]
) -> Mapping[Misfit, tuple[BuildId, ...]]:
    """Nothing where no build needs it: a gate that fits is known by what it lets in rightly."""
    found: dict[Misfit, tuple[BuildId, ...]] = {}
    if not needed:
        return found
    applied = [index for index, each in enumerate(on.values()) if each.applied]
    for index, (build, each) in enumerate(on.items()):
        misfit = None
        if each.missed:
            misfit = Misfit.MISSES
            if applied and index < applied[0]:
                misfit = Misfit.OPENS_LATE
            elif applied and index > applied[-1]:
                misfit = Misfit.CLOSES_EARLY
        elif each.idle and index < needed[0]:
            misfit = Misfit.OPENS_EARLY
        elif each.idle and index > needed[-1]:
            misfit = Misfit.CLOSES_LATE
        if misfit is not None:
            found[misfit] = (*found.get(misfit, ()), build)
    return found
