"""What builds make of what was compiled before."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum

from compat.runs.ids import BuildId, CellId
from compat.topics.caches.records import Again, Keys, Starts
from compat.topics.matrix import Matrix


class Wanted(str, Enum):
    """What is to become of what was compiled before."""

    REUSED = "to be used again"
    NOT_REUSED = "not to be used"
    EITHER = ""


@dataclass(frozen=True, kw_only=True)
class OnBuild:
    """One question on one build."""

    again: Again
    cell: CellId


@dataclass(frozen=True, kw_only=True)
class Question:
    """One change, or one start, on all builds."""

    check: str
    name: str
    wanted: Wanted
    builds: Mapping[BuildId, OnBuild]


@dataclass(frozen=True, kw_only=True)
class Caches:
    """All questions."""

    questions: tuple[Question, ...]


def find(matrix: Matrix) -> Caches:
    found: dict[tuple[str, str, Wanted], dict[BuildId, OnBuild]] = {}
    for build in matrix.builds:
        for cell, name, wanted, again in _asked(matrix, build.id):
            by_build = found.setdefault((cell.check, name, wanted), {})
            by_build[build.id] = OnBuild(again=again, cell=cell)
    return Caches(
        questions=tuple(
            Question(check=check, name=name, wanted=wanted, builds=builds)
            for (check, name, wanted), builds in found.items()
        )
    )


def _asked(matrix: Matrix, build: BuildId) -> Iterable[tuple[CellId, str, Wanted, Again]]:
    for keys in matrix.seen(Keys, build):
        if keys.record is not None:
            for wanted, group in (
                (Wanted.NOT_REUSED, keys.record.differ),
                (Wanted.REUSED, keys.record.same),
                (Wanted.EITHER, keys.record.free),
            ):
                yield from ((keys.cell.id, name, wanted, each) for name, each in group.items())
    for starts in matrix.seen(Starts, build):
        if starts.record is not None:
            for name, each in starts.record.starts.items():
                yield starts.cell.id, name, Wanted.EITHER, each
