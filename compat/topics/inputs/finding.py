"""What hiding Dynamo's tracing context from compile_fx changes: inputs taken, attributes spared."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from compat.runs.ids import BuildId, CellId
from compat.topics.inputs.records import Inputs
from compat.topics.matrix import Matrix, Seen

# The value of the parameter ``way`` under which nothing is hidden.
UNHIDDEN = "none"


@dataclass(frozen=True)
class Case:
    """What compile_fx is given: a kind of inputs, and whether the batch size is dynamic."""

    inputs: str
    batch: str


@dataclass(frozen=True, kw_only=True)
class Hiding:
    """What one way of hiding the context does, against not hiding it.

    Attributes:
        takes: The cases that compile only hidden,
        refuses: and those that compile only unhidden.
        unknown: The cases in which either is not known.
    """

    takes: tuple[Case, ...]
    refuses: tuple[Case, ...]
    unknown: tuple[Case, ...]


@dataclass(frozen=True, kw_only=True)
class Effects:
    """What compile_fx does on one build.

    Attributes:
        compiles: The cases that compile unhidden.
        written: By attribute of Dynamo's own context, or of its ShapeEnv: the cases in which
            compile_fx writes it unhidden.
        hiding: By way of hiding the context.
    """

    compiles: tuple[Case, ...]
    written: Mapping[str, tuple[Case, ...]]
    hiding: Mapping[str, Hiding]


@dataclass(frozen=True, kw_only=True)
class ContextInputs:
    """What the builds that were asked do; those of which nothing at all is known are left out.

    Attributes:
        cases: All that the run asks about.
        cells: By build: those that say so.
    """

    cases: tuple[Case, ...]
    effects: Mapping[BuildId, Effects]
    cells: Mapping[BuildId, tuple[CellId, ...]]


def find(matrix: Matrix) -> ContextInputs:
    asked = matrix.everywhere(Inputs)
    cases = tuple(dict.fromkeys(map(_case, asked)))
    ways = [way for way in matrix.values(Inputs, "way") if way != UNHIDDEN]
    known = {
        build.id: matrix.seen(Inputs, build.id)
        for build in matrix.builds
        if matrix.records(Inputs, build.id)
    }
    return ContextInputs(
        cases=cases,
        effects={build: _effects(cases, ways, seen) for build, seen in known.items()},
        cells={build: tuple(each.cell.id for each in seen) for build, seen in known.items()},
    )


def _effects(cases: Iterable[Case], ways: Iterable[str], seen: Iterable[Seen[Inputs]]) -> Effects:
    records = {
        (each.cell.params.get("way", ""), _case(each)): each.record
        for each in seen
        if each.record is not None
    }
    unhidden = {case: record for (way, case), record in records.items() if way == UNHIDDEN}
    written: dict[str, tuple[Case, ...]] = {}
    for case, record in unhidden.items():
        for name in record.leaks:
            written[name] = (*written.get(name, ()), case)
    hidden = {way: {case: records.get((way, case)) for case in cases} for way in ways}
    return Effects(
        compiles=tuple(case for case, record in unhidden.items() if record.compiles),
        written=written,
        hiding={way: _hiding(unhidden, by_case) for way, by_case in hidden.items()},
    )


def _hiding(unhidden: Mapping[Case, Inputs], hidden: Mapping[Case, Inputs | None]) -> Hiding:
    pairs = {case: (unhidden.get(case), record) for case, record in hidden.items()}
    known = {case: (bare, cover) for case, (bare, cover) in pairs.items() if bare and cover}
    return Hiding(
        takes=tuple(c for c, (bare, cover) in known.items() if cover.compiles > bare.compiles),
        refuses=tuple(c for c, (bare, cover) in known.items() if bare.compiles > cover.compiles),
        unknown=tuple(case for case in pairs if case not in known),
    )


def _case(seen: Seen[Inputs]) -> Case:
    return Case(seen.cell.params.get("inputs", ""), seen.cell.params.get("batch", ""))
