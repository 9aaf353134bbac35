"""Which paths of which subject work on which build, and what their own gates decide there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from compat.adapters.protocol import Verdict
from compat.runs.failures import signature_of_cell
from compat.runs.ids import BuildId, CellId
from compat.runs.model import Cell, Outcome, Pair, Subject
from compat.topics.matrix import Matrix
from compat.topics.subjects.records import RECORDS, Compiled


@dataclass(frozen=True, kw_only=True)
class Failure:
    """What breaks a path of a subject in one way.

    Attributes:
        claimed: The builds on which the subject is meant to work,
        unclaimed: and those on which it is not.
        worked: The last older build on which the path works as a whole; None where none was run.
        missing: What torch read from the subject's objects and did not find.
        reason: What the first of the cells says.
    """

    subject: str
    path: str
    signature: str
    claimed: tuple[BuildId, ...]
    unclaimed: tuple[BuildId, ...]
    worked: BuildId | None
    missing: tuple[str, ...]
    reason: str
    cells: tuple[CellId, ...]


@dataclass(frozen=True, kw_only=True)
class Decisions:
    """What a gate of a subject decided, by build; several where its cells differ."""

    subject: str
    feature: str
    gates: Mapping[BuildId, tuple[Verdict, ...]]
    cells: Mapping[BuildId, tuple[CellId, ...]]

    def those(self, gate: Verdict) -> list[BuildId]:
        return [build for build, found in self.gates.items() if gate in found]


@dataclass(frozen=True, kw_only=True)
class Path:
    """One path of a subject: its cells by build."""

    subject: str
    name: str
    cells: Mapping[BuildId, Sequence[Cell]]


@dataclass(frozen=True, kw_only=True)
class Subjects:
    """All in the order of the run's subjects, paths, and builds."""

    subjects: tuple[Subject, ...]
    pairs: tuple[Pair, ...]
    paths: tuple[Path, ...]
    failures: tuple[Failure, ...]
    decisions: tuple[Decisions, ...]


def find(matrix: Matrix) -> Subjects:
    run = matrix.run
    paths = [path for subject in run.subjects for path in _paths(matrix, subject.id)]
    return Subjects(
        subjects=run.subjects,
        pairs=run.pairs,
        paths=tuple(paths),
        failures=tuple(each for path in paths for each in _failures(matrix, path)),
        decisions=tuple(
            each for subject in run.subjects for each in _decisions(matrix, subject.id)
        ),
    )


def _paths(matrix: Matrix, subject: str) -> Iterable[Path]:
    found: dict[str, dict[BuildId, list[Cell]]] = {}
    for build in matrix.builds:
        for seen in matrix.on(build.id, subject).values():
            if seen.cell.probe in RECORDS:
                name = seen.cell.params.get("path", "")
                found.setdefault(name, {}).setdefault(build.id, []).append(seen.cell)
    for name, cells in found.items():
        yield Path(subject=subject, name=name, cells=cells)


def _failures(matrix: Matrix, path: Path) -> Iterable[Failure]:
    """Of the cells that broke, those with one signature together."""
    broke: dict[str, list[Cell]] = {}
    for cells in path.cells.values():
        for cell in cells:
            # One of an unsupported pair keeps the signature of what broke.
            if cell.outcome.bad or (cell.outcome is Outcome.UNSUPPORTED and cell.signature):
                broke.setdefault(signature_of_cell(cell) or cell.signature, []).append(cell)
    for signature, cells in broke.items():
        builds = list(dict.fromkeys(cell.build for cell in cells))
        claimed = [build for build in builds if is_supported(matrix, path.subject, build)]
        yield Failure(
            subject=path.subject,
            path=path.name,
            signature=signature,
            claimed=tuple(claimed),
            unclaimed=tuple(build for build in builds if build not in claimed),
            worked=_last_before(matrix, path, builds[0]),
            missing=_missing(matrix, path.subject, cells),
            reason=cells[0].reason,
            cells=tuple(cell.id for cell in cells),
        )


def _last_before(matrix: Matrix, path: Path, broken: BuildId) -> BuildId | None:
    """The newest build before ``broken``, of its device and Python, on which all cells passed."""
    found = None
    for build in matrix.builds:
        if build.id == broken:
            break
        outcomes = {cell.outcome for cell in path.cells.get(build.id, ())}
        if build.id.line == broken.line and outcomes == {Outcome.PASS}:
            found = build.id
    return found


def is_supported(matrix: Matrix, subject: str, build: BuildId) -> bool:
    """Whether a subject is meant to work on a build."""
    pair = matrix.pair(subject, build)
    return pair is None or pair.supported


def _missing(matrix: Matrix, subject: str, cells: Iterable[Cell]) -> tuple[str, ...]:
    found: dict[str, None] = {}
    for cell in cells:
        record = matrix.on(cell.build, subject)[cell.check].record
        if isinstance(record, Compiled):
            found.update(dict.fromkeys(record.missing))
    return tuple(found)


def _decisions(matrix: Matrix, subject: str) -> Iterable[Decisions]:
    gates: dict[str, dict[BuildId, dict[Verdict, None]]] = {}
    cells: dict[str, dict[BuildId, list[CellId]]] = {}
    for seen in matrix.everywhere(Compiled, subject=subject):
        for feature, gate in seen.record.gates.items() if seen.record else ():
            build = seen.cell.build
            gates.setdefault(feature, {}).setdefault(build, {})[gate] = None
            cells.setdefault(feature, {}).setdefault(build, []).append(seen.cell.id)
    for feature, by_build in gates.items():
        yield Decisions(
            subject=subject,
            feature=feature,
            gates={build: tuple(found) for build, found in by_build.items()},
            cells={build: tuple(found) for build, found in cells[feature].items()},
        )
