"""Which computations train on which builds, and which can be kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from compat.runs.ids import BuildId, CellId
from compat.runs.model import Outcome
from compat.topics.matrix import Matrix, Seen
from compat.topics.training.answers import right, saves
from compat.topics.training.records import RIGHT, Trained


class State(str, Enum):
    """What a computation does on a build, the worst first."""

    WRONG = "gives wrong gradients or outputs"
    LOADS_WRONG = "is wrong, or dies, once loaded again"
    FAILS = "does not compile, or not run"
    NOT_KEPT = "trains, and cannot be kept"
    KEPT = "trains, is saved, and trains when it is loaded"
    TRAINS = "trains"  # on a path that keeps nothing
    UNSUPPORTED = "is not supported"
    UNKNOWN = "is not known"


@dataclass(frozen=True, kw_only=True)
class OnBuild:
    """A computation on a path, on one build.

    Attributes:
        details: What failed, was refused, or is not as eager has it; each once.
    """

    state: State
    details: tuple[str, ...]
    cell: CellId


@dataclass(frozen=True, kw_only=True)
class OnPath:
    """A computation on a path."""

    lesson: str
    path: str
    builds: Mapping[BuildId, OnBuild]


@dataclass(frozen=True, kw_only=True)
class Training:
    """All computations, on all paths that some build was asked about."""

    lessons: tuple[OnPath, ...]


def find(matrix: Matrix) -> Training:
    return Training(
        lessons=tuple(
            OnPath(lesson=lesson, path=path, builds=on)
            for lesson in matrix.values(Trained, "lesson")
            for path in matrix.values(Trained, "path")
            if (
                on := {
                    build.id: _on_build(each)
                    for build in matrix.builds
                    for each in matrix.seen(Trained, build.id, lesson=lesson, path=path)
                }
            )
        )
    )


def _on_build(seen: Seen[Trained]) -> OnBuild:
    return OnBuild(state=_state(seen), details=_details(seen.record), cell=seen.cell.id)


def _state(seen: Seen[Trained]) -> State:
    record, outcome = seen.record, seen.cell.outcome
    if outcome is Outcome.UNSUPPORTED:
        return State.UNSUPPORTED
    if record is None or outcome not in {Outcome.PASS, Outcome.FAIL}:
        return State.UNKNOWN
    if record.failure:
        return State.FAILS
    if outcome is Outcome.FAIL:
        return State.LOADS_WRONG if right(record) else State.WRONG
    if not record.kept:
        return State.TRAINS
    kept = any(saves(each) and each.loaded == RIGHT for each in record.kept.values())
    return State.KEPT if kept else State.NOT_KEPT


def _details(record: Trained | None) -> tuple[str, ...]:
    if record is None:
        return ()
    said = [record.failure, *record.contract]
    for each in record.kept.values():
        said += [
            each.loaded if saves(each) else each.saved_later,
            each.saved_at_once if saves(each) else "",
        ]
    return tuple(dict.fromkeys(each for each in said if each not in {"", RIGHT}))
