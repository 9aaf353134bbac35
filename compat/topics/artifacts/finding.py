"""What becomes of saved artifacts: reloaded, damaged, moved, saved by two, or by another build."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from compat.runs.ids import BuildId, CellId
from compat.runs.model import SAVED_BY, Outcome
from compat.topics.artifacts.records import (
    Across,
    Damaged,
    Load,
    Loaded,
    Placed,
    Reloaded,
    SavedByTwo,
)
from compat.topics.matrix import Matrix, Seen

KIND = "kind"


@dataclass(frozen=True, kw_only=True)
class Fate:
    """What became of an artifact on one build.

    Attributes:
        outcome: How the cell ended.
        loaded: None where nothing is known of the load.
    """

    cell: CellId
    outcome: Outcome
    loaded: Loaded | None

    @property
    def load(self) -> Load | None:
        return None if self.loaded is None else self.loaded.load


@dataclass(frozen=True, kw_only=True)
class Treatment:
    """One kind of artifact, and what was done to it, on all builds that were asked.

    Attributes:
        kind: Of the artifact: ``binary``, ``unpacked``, ``aot``, …
        done: ``truncated``, ``moved``, …; empty where it was only loaded.
    """

    kind: str
    done: str
    fates: Mapping[BuildId, Fate]


@dataclass(frozen=True, kw_only=True)
class Foreign:
    """One kind of artifact that another build saved, on builds of one device and Python.

    Attributes:
        saved_by: What the build that saved goes by on this line.
        line: Device and Python of the builds that load.
    """

    kind: str
    saved_by: str
    line: tuple[str, str]
    fates: Mapping[BuildId, Fate]


@dataclass(frozen=True, kw_only=True)
class Artifacts:
    """What became of all artifacts.

    Attributes:
        placed: Moved, read-only, or saved by two processes at once: meant to load.
    """

    reloaded: tuple[Treatment, ...]
    damaged: tuple[Treatment, ...]
    placed: tuple[Treatment, ...]
    foreign: tuple[Foreign, ...]


def find(matrix: Matrix) -> Artifacts:
    return Artifacts(
        reloaded=_treatments(matrix.everywhere(Reloaded)),
        damaged=_treatments(matrix.everywhere(Damaged), by="damage"),
        placed=(
            *_treatments(matrix.everywhere(Placed), by="place"),
            *_treatments(matrix.everywhere(SavedByTwo), done="saved by two"),
        ),
        foreign=_foreign(matrix),
    )


def _treatments(
    seen: Iterable[Seen[Any]], by: str | None = None, done: str = ""
) -> tuple[Treatment, ...]:
    """The cells in groups: by kind, and by the parameter ``by`` if there is one."""
    groups: dict[tuple[str, str], dict[BuildId, Fate]] = {}
    for each in seen:
        params = each.cell.params
        key = (params.get(KIND, ""), params.get(by, "") if by else done)
        groups.setdefault(key, {})[each.cell.build] = _fate(each)
    return tuple(
        Treatment(kind=kind, done=what, fates=fates) for (kind, what), fates in groups.items()
    )


def _foreign(matrix: Matrix) -> tuple[Foreign, ...]:
    groups: dict[tuple[tuple[str, str], str, str], dict[BuildId, Fate]] = {}
    for each in matrix.everywhere(Across):
        build, params = each.cell.build, each.cell.params
        key = (build.line, params.get(KIND, ""), params.get(SAVED_BY, ""))
        groups.setdefault(key, {})[build] = _fate(each)
    known = [build.id.name_and_python for build in matrix.builds]

    def order(key: tuple[tuple[str, str], str, str]) -> tuple[tuple[str, str], str, int, str]:
        line, kind, saved_by = key
        place = known.index(saved_by) if saved_by in known else len(known)
        return line, kind, place, saved_by

    return tuple(
        Foreign(line=line, kind=kind, saved_by=saved_by, fates=groups[line, kind, saved_by])
        for line, kind, saved_by in sorted(groups, key=order)
    )


def _fate(seen: Seen[Any]) -> Fate:
    return Fate(cell=seen.cell.id, outcome=seen.cell.outcome, loaded=seen.record)
