"""Where the tracing context must be hidden, which ways of hiding it work, what not hiding costs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from compat.runs.ids import BuildId, CellId
from compat.topics.inputs import finding as inputs
from compat.topics.inputs.finding import Case, ContextInputs
from compat.topics.inputs.records import OnModel
from compat.topics.matrix import Matrix, Seen, all_passed, by_line
from compat.topics.rests import rests_on
from compat.topics.tracing_context.records import Hidden, Needed, Restored

# The kind of inputs that vLLM passes: fakes of a mode of its own.
PASSED = "foreign"


@dataclass(frozen=True, kw_only=True)
class Written:
    """Attributes that compile_fx writes unhidden: on these builds, in these cases."""

    names: tuple[str, ...]
    builds: tuple[BuildId, ...]
    cases: tuple[Case, ...]


@dataclass(frozen=True, kw_only=True)
class CasesOn:
    """Cases of inputs that have the same builds in common."""

    builds: tuple[BuildId, ...]
    cases: tuple[Case, ...]


@dataclass(frozen=True, kw_only=True)
class Cost:
    """What changes on builds that do not need the workaround once it is deleted.

    Attributes:
        written: What compile_fx then writes in Dynamo's own context.
        takes: Inputs that compile only then.
        refuses: Inputs that then no longer compile.
        uncosted: Builds of which this is not known, or not in all cases.
    """

    written: tuple[Written, ...]
    takes: tuple[CasesOn, ...]
    refuses: tuple[CasesOn, ...]
    uncosted: tuple[BuildId, ...]
    cells: tuple[CellId, ...]


@dataclass(frozen=True, kw_only=True)
class Deletion:
    """Where the workaround can be deleted.

    Attributes:
        builds: Those that do not need it, nor does any later one that is known, oldest first.
        untested: Builds after the last one that needs it, of which nothing is known.
    """

    builds: tuple[BuildId, ...]
    untested: tuple[BuildId, ...]
    cost: Cost


@dataclass(frozen=True, kw_only=True)
class Line:
    """The builds of one device and Python.

    Attributes:
        needed: Whether compile_fx fails there unhidden, oldest build first; None where that is
            unknown.
        deletion: None where no build is known not to need it any more, or where none needs it:
            then nothing shows that the probe can see the failure.
    """

    needed: Mapping[BuildId, bool | None]
    deletion: Deletion | None
    cells: tuple[CellId, ...]

    def those(self, needed: bool | None) -> list[BuildId]:
        """The builds of which this is known."""
        return [build for build, each in self.needed.items() if each is needed]


@dataclass(frozen=True, kw_only=True)
class TracingContext:
    """The workaround on all builds.

    Attributes:
        rests: What compile_fx was called with unhidden: models, dtypes, batches, kinds of inputs.
        cases: All kinds of inputs that the run asks about.
        failures: By build: the signatures of what happens without it.
        works: By strategy, then by build: whether what it hides compiles, and the context is back;
            None where that is unknown.
    """

    lines: tuple[Line, ...]
    rests: str
    cases: tuple[Case, ...]
    failures: Mapping[BuildId, tuple[str, ...]]
    works: Mapping[str, Mapping[BuildId, bool | None]]


def find(matrix: Matrix) -> TracingContext:
    batches = matrix.values(Needed, "batch")
    taken = inputs.find(matrix)
    needed = {build.id: _needed(matrix, build.id, batches) for build in matrix.builds}
    strategies = dict.fromkeys(
        [*matrix.values(Hidden, "strategy"), *matrix.values(Restored, "strategy")]
    )
    return TracingContext(
        lines=tuple(
            _line(matrix, {build: needed[build] for build in builds}, taken)
            for builds in by_line(matrix.builds)
            if any(matrix.seen(Needed, build) for build in builds)
        ),
        rests=rests_on((each.cell for each in _asked(matrix) if each.record), inputs=PASSED),
        cases=taken.cases,
        failures={
            build: tuple(dict.fromkeys(record.failure for record in records))
            for build in needed
            if (records := [each for each in matrix.records(Needed, build) if each.needed])
        },
        works={
            strategy: {build: _works(matrix, build, strategy) for build in needed}
            for strategy in strategies
        },
    )


def _asked(matrix: Matrix) -> list[Seen[Any]]:
    return [*matrix.everywhere(Needed), *matrix.everywhere(OnModel)]


def _needed(matrix: Matrix, build: BuildId, batches: Iterable[str]) -> bool | None:
    """Yes as soon as one batch or model says so; no if the run's batches were all answered."""
    seen = matrix.seen(Needed, build)
    records = {each.cell.params.get("batch"): each.record for each in seen if each.record}
    if any(record.needed for record in records.values()):
        return True
    if any(record.needed for record in matrix.records(OnModel, build, inputs=PASSED)):
        return True
    return None if not records or set(batches) - records.keys() else False


def _works(matrix: Matrix, build: BuildId, strategy: str) -> bool | None:
    hidden = matrix.seen(Hidden, build, strategy=strategy)
    return all_passed([*hidden, *matrix.seen(Restored, build, strategy=strategy)])


def _line(matrix: Matrix, needed: Mapping[BuildId, bool | None], taken: ContextInputs) -> Line:
    controls = [build for build, each in needed.items() if each]
    deletion = None
    if controls:
        after = list(needed)[list(needed).index(controls[-1]) + 1 :]
        free = tuple(build for build in after if needed[build] is False)
        untested = tuple(build for build in after if needed[build] is None)
        if free:
            deletion = Deletion(builds=free, untested=untested, cost=cost_on(free, taken))
    return Line(
        needed=needed,
        deletion=deletion,
        cells=tuple(cell for build in needed for cell in _cells(matrix, build)),
    )


def _cells(matrix: Matrix, build: BuildId) -> Iterable[CellId]:
    yield from (each.cell.id for each in matrix.seen(Needed, build) if each.record)
    yield from (each.cell.id for each in matrix.seen(OnModel, build, inputs=PASSED) if each.record)


def cost_on(builds: Sequence[BuildId], taken: ContextInputs) -> Cost:
    """What deleting the workaround costs on these builds."""
    effects = {build: taken.effects[build] for build in builds if build in taken.effects}
    takes: dict[Case, tuple[BuildId, ...]] = {}
    refuses: dict[Case, tuple[BuildId, ...]] = {}
    uncosted = [build for build in builds if build not in effects]
    for build, each in effects.items():
        hiding = each.hiding.values()
        # Without the workaround the inputs that only it refuses compile, and the other way round.
        for case in dict.fromkeys(case for way in hiding for case in way.refuses):
            takes[case] = (*takes.get(case, ()), build)
        for case in dict.fromkeys(case for way in hiding for case in way.takes):
            refuses[case] = (*refuses.get(case, ()), build)
        if not hiding or any(way.unknown for way in hiding):
            uncosted.append(build)
    return Cost(
        written=_written(effects),
        takes=_by_builds(takes),
        refuses=_by_builds(refuses),
        uncosted=tuple(uncosted),
        cells=tuple(cell for build in effects for cell in taken.cells[build]),
    )


def _by_builds(cases: Mapping[Case, tuple[BuildId, ...]]) -> tuple[CasesOn, ...]:
    grouped: dict[tuple[BuildId, ...], tuple[Case, ...]] = {}
    for case, builds in cases.items():
        grouped[builds] = (*grouped.get(builds, ()), case)
    return tuple(CasesOn(builds=builds, cases=those) for builds, those in grouped.items())


def _written(effects: Mapping[BuildId, inputs.Effects]) -> tuple[Written, ...]:
    """Attributes that are written on the same builds in the same cases, together."""
    builds: dict[tuple[str, tuple[Case, ...]], tuple[BuildId, ...]] = {}
    for build, each in effects.items():
        for name, cases in each.written.items():
            builds[name, cases] = (*builds.get((name, cases), ()), build)
    names: dict[tuple[tuple[BuildId, ...], tuple[Case, ...]], tuple[str, ...]] = {}
    for (name, cases), where in sorted(builds.items(), key=lambda item: item[0][0]):
        names[where, cases] = (*names.get((where, cases), ()), name)
    return tuple(
        Written(names=those, builds=where, cases=cases) for (where, cases), those in names.items()
    )
