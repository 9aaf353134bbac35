"""Which graphs that once went wrong are wrong on which builds, and how."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

from compat.runs.ids import BuildId
from compat.runs.model import Cell, Outcome
from compat.topics.corpus.answers import agrees
from compat.topics.corpus.records import GraphRun
from compat.topics.matrix import Matrix, Seen


class State(str, Enum):
    """What a graph does on a build, the worst first: that of its worst path."""

    CRASHES = "crashes"  # the process dies, or never comes to its end
    COMPUTES_WRONG = "computes something else"
    RETURNS_WRONG = "returns something else"  # the numbers are right: a dtype, a stride, an alias
    FAILS_TO_COMPILE = "does not compile"
    FAILS_TO_RUN = "compiles, and does not run"
    UNKNOWN = "is not known"
    RIGHT = "is right"
    UNSUPPORTED = "is not supported"


@dataclass(frozen=True, kw_only=True)
class GraphOnBuild:
    """A graph on one build, over the paths that were asked.

    Attributes:
        max_abs: The largest difference from eager; None where it is unknown, or not finite.
        details: What else is not as eager returns it, what is wrong with random numbers, and the
            signatures of failures; each once.
        cells: Those of the worst state.
    """

    state: State
    max_abs: float | None
    details: tuple[str, ...]
    cells: tuple[Cell, ...]


@dataclass(frozen=True, kw_only=True)
class WrongGraphs:
    """All graphs, on all builds.

    Attributes:
        links: By graph: the public report; empty where no cell has left a record.
        graphs: By graph, then by build.
        seconds: By build: those that all its graphs took together, where that is known.
    """

    links: Mapping[str, str]
    graphs: Mapping[str, Mapping[BuildId, GraphOnBuild]]
    seconds: Mapping[BuildId, float]


def find(matrix: Matrix) -> WrongGraphs:
    names = matrix.values(GraphRun, "graph")
    return WrongGraphs(
        links={name: _link(matrix.everywhere(GraphRun, graph=name)) for name in names},
        graphs={
            name: {
                build.id: _on_build(seen)
                for build in matrix.builds
                if (seen := matrix.seen(GraphRun, build.id, graph=name))
            }
            for name in names
        },
        seconds={
            build.id: sum(each.seconds for each in records)
            for build in matrix.builds
            if (records := matrix.records(GraphRun, build.id))
        },
    )


def _link(seen: Sequence[Seen[GraphRun]]) -> str:
    return next((each.record.link for each in seen if each.record is not None), "")


def _on_build(seen: Sequence[Seen[GraphRun]]) -> GraphOnBuild:
    states = [_state(each) for each in seen]
    worst = min(states, key=list(State).index)
    those = [each for each, state in zip(seen, states, strict=True) if state is worst]
    records = [each.record for each in those if each.record is not None]
    known = [record.max_abs for record in records if record.max_abs is not None]
    details = [
        *(each for record in records for each in (*record.contract, *record.draws)),
        *(record.failure for record in records if record.failure),
    ]
    return GraphOnBuild(
        state=worst,
        max_abs=max(known, default=None) if len(known) == len(records) else None,
        details=tuple(dict.fromkeys(details)),
        cells=tuple(each.cell for each in those),
    )


def _state(seen: Seen[GraphRun]) -> State:
    outcome, record = seen.cell.outcome, seen.record
    if outcome in {Outcome.CRASH, Outcome.TIMEOUT}:
        return State.CRASHES
    if outcome is Outcome.UNSUPPORTED:
        return State.UNSUPPORTED
    if record is None or outcome not in {Outcome.PASS, Outcome.FAIL, Outcome.ERROR}:
        return State.UNKNOWN
    if record.failure:
        return State.FAILS_TO_RUN if record.compiles else State.FAILS_TO_COMPILE
    if outcome is Outcome.PASS:
        return State.RIGHT
    return State.COMPUTES_WRONG if agrees(record) is False else State.RETURNS_WRONG
