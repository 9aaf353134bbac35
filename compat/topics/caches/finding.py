"""What builds make of what was compiled before."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum

from compat.runs.ids import BuildId, CellId
from compat.topics.caches.records import Again, Keys, Starts
from compat.topics.matrix import Matrix, Seen


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
        for seen in (*matrix.seen(Keys, build.id), *matrix.seen(Starts, build.id)):
            for name, wanted, again in _asked(seen):
                by_build = found.setdefault((seen.cell.check, name, wanted), {})
                by_build[build.id] = OnBuild(again=again, cell=seen.cell.id)
    return Caches(
        questions=tuple(
            Question(check=check, name=name, wanted=wanted, builds=builds)
            for (check, name, wanted), builds in found.items()
        )
    )


def _asked(seen: Seen[Keys] | Seen[Starts]) -> Iterable[tuple[str, Wanted, Again]]:
    record = seen.record
    if isinstance(record, Keys):
        yield from ((name, Wanted.NOT_REUSED, each) for name, each in record.differ.items())
        yield from ((name, Wanted.REUSED, each) for name, each in record.same.items())
        yield from ((name, Wanted.EITHER, each) for name, each in record.free.items())
    elif isinstance(record, Starts):
        yield from ((name, Wanted.EITHER, each) for name, each in record.starts.items())
