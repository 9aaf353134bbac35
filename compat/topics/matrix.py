"""All cells of a run, by subject, build, type of record and parameters, each with its record."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from compat.runs.decode import DamagedError, decode
from compat.runs.ids import BUILTIN, BuildId, CellId, CheckId
from compat.runs.model import Build, Cell, Outcome, Pair, Run, Status
from compat.topics.records import RECORDS

R = TypeVar("R")


@dataclass(frozen=True)
class Seen(Generic[R]):
    """A cell and what its probe found out; the record is None where there is none that fits."""

    cell: Cell
    record: R | None


class Matrix:
    """An index of a run: each look-up takes as long as what it finds.

    Attributes:
        run: What is indexed.
        builds: Of the run, oldest version first.
        unfit: By cell: why its record could not be read. Such a cell is known by its outcome alone.
    """

    def __init__(self, run: Run) -> None:
        self.run = run
        self.builds: Sequence[Build] = run.builds
        self.unfit: dict[CellId, str] = {}
        self._by_type: dict[tuple[type, str], list[Seen[Any]]] = {}
        self._by_build: dict[tuple[type, str, BuildId], list[Seen[Any]]] = {}
        self._cells: dict[CellId, Cell] = {}
        self._status = {build.id: (build.status, build.reason) for build in run.builds}
        self._pairs = {(pair.subject, pair.build): pair for pair in run.pairs}
        self._on: dict[tuple[str, BuildId], dict[CheckId, Seen[Any]]] = {}
        for cell in run.cells:
            self._add(cell)

    def _add(self, cell: Cell) -> None:
        kind = RECORDS.get(cell.probe)
        seen: Seen[Any] = Seen(cell, self._read(cell, kind))
        self._cells[cell.id] = cell
        self._on.setdefault((cell.subject, cell.build), {})[cell.check] = seen
        if kind is not None:
            self._by_type.setdefault((kind, cell.subject), []).append(seen)
            self._by_build.setdefault((kind, cell.subject, cell.build), []).append(seen)

    def _read(self, cell: Cell, kind: type | None) -> object | None:
        """The record of a cell, if it has one and it fits."""
        if cell.record is None:
            if cell.outcome is Outcome.PASS and kind is not None:
                self.unfit[cell.id] = "it passed and recorded nothing"
            return None
        if kind is None:
            self.unfit[cell.id] = f"this version of the project has no probe {cell.probe}"
            return None
        if list(cell.record) != [kind.__name__]:
            self.unfit[cell.id] = f"expected {kind.__name__}, not {', '.join(cell.record)}"
            return None
        fields = cell.record[kind.__name__]
        if unknown := fields.keys() - kind.__dataclass_fields__.keys():  # type: ignore[attr-defined]
            self.unfit[cell.id] = f"{kind.__name__} has no {', '.join(sorted(unknown))}"
            return None
        try:
            return decode(fields, kind)
        except DamagedError as error:
            self.unfit[cell.id] = f"{kind.__name__}: {error}"
            return None

    def seen(
        self, kind: type[R], build: BuildId, *, subject: str = BUILTIN, **params: str
    ) -> list[Seen[R]]:
        """The cells on a build whose probes fill ``kind`` and whose parameters include these."""
        found: list[Seen[R]] = self._by_build.get((kind, subject, build), [])
        return [each for each in found if params.items() <= each.cell.params.items()]

    def everywhere(self, kind: type[R], *, subject: str = BUILTIN, **params: str) -> list[Seen[R]]:
        """Likewise, on all builds."""
        found: list[Seen[R]] = self._by_type.get((kind, subject), [])
        return [each for each in found if params.items() <= each.cell.params.items()]

    def records(
        self, kind: type[R], build: BuildId, *, subject: str = BUILTIN, **params: str
    ) -> list[R]:
        """The records of :meth:`seen` that there are."""
        found = self.seen(kind, build, subject=subject, **params)
        return [each.record for each in found if each.record is not None]

    def values(self, kind: type[R], name: str) -> list[str]:
        """The values of a parameter among the cells of ``kind``, in the order of the run."""
        found = (each.cell.params.get(name) for each in self.everywhere(kind))
        return list(dict.fromkeys(value for value in found if value is not None))

    def cell(self, name: CellId) -> Cell | None:
        return self._cells.get(name)

    def on(self, build: BuildId, subject: str = BUILTIN) -> dict[CheckId, Seen[Any]]:
        """All cells of a subject on a build, by check."""
        return self._on.get((subject, build), {})

    def subjects(self, build: BuildId) -> list[str]:
        """The subjects that have cells on a build."""
        return [subject for subject, on in self._on if on == build]

    def pair(self, subject: str, build: BuildId) -> Pair | None:
        """What became of a subject on a build as a whole; None for the builtin subject."""
        return self._pairs.get((subject, build))

    def status(self, build: BuildId, subject: str = BUILTIN) -> tuple[Status, str]:
        """What became of a build, or of a subject on it, as a whole, and why that is not ok."""
        pair = self.pair(subject, build)
        return self._status[build] if pair is None else (pair.status, pair.reason)

    def is_silent(self, cell: Cell) -> bool:
        """Whether a cell was not run although its subject came to its end on that build."""
        ended, _ = self.status(cell.build, cell.subject)
        return cell.outcome is Outcome.NOT_RUN and ended is Status.OK

    def ran(self) -> list[Build]:
        """The builds that could be had."""
        return [build for build in self.builds if build.status is not Status.UNAVAILABLE]


def all_passed(seen: Iterable[Seen[Any]]) -> bool | None:
    """Whether all cells passed: False as soon as one ended badly, None where that is unknown.

    What a build does not support does not count.
    """
    outcomes = {each.cell.outcome for each in seen} - {Outcome.UNSUPPORTED}
    if any(outcome.bad for outcome in outcomes):
        return False
    return True if outcomes == {Outcome.PASS} else None


def by_line(builds: Iterable[Build]) -> list[list[BuildId]]:
    """Builds that may be put in an order: each list is of one device and one Python."""
    lines: dict[tuple[str, str], list[BuildId]] = {}
    for build in builds:
        lines.setdefault(build.id.line, []).append(build.id)
    return list(lines.values())
