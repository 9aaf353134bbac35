"""Why a build is not ready for a subject: one excuse each, and the cells to run again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum

from compat.findings.assess import Assessment
from compat.findings.baselines import STABLE
from compat.findings.changes import Comparison, Difference
from compat.findings.model import Findings
from compat.runs.failures import signature_of_cell
from compat.runs.history import WHOLE, Column
from compat.runs.ids import BUILTIN, BuildId, CellId, CheckId
from compat.runs.model import Build, Outcome, Status
from compat.topics.matrix import Matrix

_RELEASED = frozenset({"stable", "local"})


class Ready(str, Enum):
    """Whether a downstream can move to a build."""

    NOT_TESTED = "not tested"
    NOT_READY = "not ready"
    UNPROVEN = "not known to be ready"  # the run proves nothing
    BREAKS = "breaks"  # a subject that does not claim the build, in the ways that were known
    READY = "ready"


@dataclass(frozen=True, kw_only=True)
class Excuse:
    """One build and one subject.

    Attributes:
        reason: Why the build, or the subject on it, could not be had, or broke as a whole.
        twin: The label of the release that it is compared with; empty where there is none.
        path: The one path of the subject on which everything below lies; empty if on several.
        failures: By signature: the cells that ended badly and are not expected to.
        silent: Cells that say nothing although their build was run.
        lost: By what was said before and is now: answers that are lost or worse.
        first: The first build that says so.
        requires: The versions of torch that the subject claims, where this build is none of them.
        broken: By signature: the cells that break there, which says nothing against either.
        known: How many cells ended badly as expected, or as on a build that the subject claims.
        asked: How many cells were asked.
        cells: All cells that are to be run again.
    """

    build: BuildId
    subject: str
    ready: Ready
    reason: str = ""
    twin: str = ""
    path: str = ""
    failures: Mapping[str, tuple[CellId, ...]]
    silent: tuple[CellId, ...] = ()
    lost: tuple[Difference, ...] = ()
    first: Column | None = None
    requires: str = ""
    broken: Mapping[str, tuple[CellId, ...]] = field(default_factory=dict)
    known: int = 0
    asked: int = 0
    cells: tuple[CellId, ...] = ()


def excuses(
    matrix: Matrix,
    findings: Findings,
    assessment: Assessment,
    comparisons: Mapping[str, Comparison],
) -> list[Excuse]:
    """What is not ready first; then what was not tested, then what is ready.

    Of every build that is no release, of the newest release, and of each other one on which
    something unexpected was seen.
    """
    found = []
    expected = frozenset(findings.expected)
    for build in reversed(matrix.builds):
        if build.status is Status.UNAVAILABLE:
            found.append(_untested(build.id, BUILTIN, build.reason))
            continue
        for subject in _subjects(matrix, build):
            pair = matrix.pair(subject, build.id)
            if pair is not None and pair.status is Status.UNAVAILABLE:
                found.append(_untested(build.id, subject, pair.reason))
                continue
            excuse = _excuse(matrix, build, subject, assessment, comparisons, expected)
            settled = excuse.ready in {Ready.READY, Ready.BREAKS}
            if not settled or excuse.twin or _is_unreleased(build):
                found.append(excuse)
    order = [Ready.NOT_READY, Ready.UNPROVEN, Ready.NOT_TESTED, Ready.BREAKS, Ready.READY]
    return sorted(found, key=lambda excuse: order.index(excuse.ready))


def to_run_again(matrix: Matrix, found: Sequence[Excuse]) -> list[CellId]:
    """Every cell that some excuse rests on, in the order of the run."""
    again = {cell for excuse in found for cell in excuse.cells}
    return [cell.id for cell in matrix.run.cells if cell.id in again]


def _subjects(matrix: Matrix, build: Build) -> list[str]:
    pairs = [pair.subject for pair in matrix.run.pairs if pair.build == build.id]
    # A build that broke as a whole has no cells, and is not ready for anybody.
    return list(dict.fromkeys([*matrix.subjects(build.id), *pairs])) or [BUILTIN]


def _is_unreleased(build: Build) -> bool:
    return build.channel not in _RELEASED


def _untested(build: BuildId, subject: str, reason: str) -> Excuse:
    return Excuse(build=build, subject=subject, ready=Ready.NOT_TESTED, reason=reason, failures={})


def _excuse(
    matrix: Matrix,
    build: Build,
    subject: str,
    assessment: Assessment,
    comparisons: Mapping[str, Comparison],
    expected: frozenset[CellId],
) -> Excuse:
    own = [cell for cell in assessment.failures if _is_of(cell, build.id, subject)]
    failures: dict[str, tuple[CellId, ...]] = {}
    for name in own:
        cell = matrix.cell(name)
        signature = signature_of_cell(cell) if cell is not None else ""
        failures[signature] = (*failures.get(signature, ()), name)
    silent = tuple(cell for cell in assessment.silent if _is_of(cell, build.id, subject))
    lost = tuple(_lost(assessment, build.id, subject))
    cells = {*own, *silent, *(cell for each in lost for cell in _cells(matrix, each))}
    reason = _whole(assessment, build, subject)
    asked = [seen.cell for seen in matrix.on(build.id, subject).values()]
    requires = _requires(matrix, build, subject)
    broken: dict[str, tuple[CellId, ...]] = {}
    known = sum(each.id in expected for each in asked)
    bad_anyway = _bad_where_claimed(matrix, build, subject) if requires else set()
    for each in asked if requires else ():
        if each.outcome is not Outcome.UNSUPPORTED or not each.signature:
            continue
        if each.check in bad_anyway:
            known += 1
        else:
            broken[each.signature] = (*broken.get(each.signature, ()), each.id)
    return Excuse(
        build=build.id,
        subject=subject,
        ready=Ready.NOT_READY if reason else _ready(assessment, bool(cells or lost), bool(broken)),
        reason=reason or assessment.proves_nothing,
        twin=_twin(comparisons.get(STABLE), build.id, subject),
        path=_path(matrix, cells or {each for those in broken.values() for each in those}),
        failures=failures,
        silent=silent,
        lost=lost,
        first=_first(assessment, lost, own),
        requires=requires,
        broken=broken,
        known=known,
        asked=len(asked),
        cells=tuple(cell.id for cell in matrix.run.cells if cell.id in cells),
    )


def _ready(assessment: Assessment, bad: bool, breaks: bool) -> Ready:
    if assessment.proves_nothing:
        return Ready.UNPROVEN
    if bad:
        return Ready.NOT_READY
    return Ready.BREAKS if breaks else Ready.READY


def _requires(matrix: Matrix, build: Build, subject: str) -> str:
    """The versions that a subject claims; empty where it claims this build, or all."""
    pair = matrix.pair(subject, build.id)
    if pair is None or pair.supported:
        return ""
    return next((each.requires for each in matrix.run.subjects if each.id == subject), "")


def _bad_where_claimed(matrix: Matrix, build: Build, subject: str) -> set[CheckId]:
    """The checks that end badly on a build that the subject claims: no fault of another one."""
    return {
        check
        for pair in matrix.run.pairs
        if (pair.subject, pair.supported) == (subject, True)
        and pair.build.device == build.id.device
        for check, seen in matrix.on(pair.build, subject).items()
        if seen.cell.outcome.bad
    }


def _is_of(cell: CellId, build: BuildId, subject: str) -> bool:
    return (cell.build, cell.subject) == (build, subject)


def _whole(assessment: Assessment, build: Build, subject: str) -> str:
    if subject == BUILTIN:
        return assessment.broken.get(build.id, "")
    for pair in assessment.broken_pairs:
        if (pair.build, pair.subject) == (build.id, subject):
            return pair.reason
    return ""


def _lost(assessment: Assessment, build: BuildId, subject: str) -> Iterable[Difference]:
    """Each answer once, although it may be lost against both baselines."""
    told: set[tuple[str, CellId]] = set()
    lost = assessment.lost
    for groups in assessment.alarms.values():
        for group in groups:
            for each in group.differences:
                key = (each.answer, each.cell)
                if key in lost and key not in told and _is_of(each.cell, build, subject):
                    told.add(key)
                    yield each


def _cells(matrix: Matrix, difference: Difference) -> list[CellId]:
    """The cell that says so; of what several say together all cells of the probe."""
    if matrix.cell(difference.cell) is not None:
        return [difference.cell]
    if difference.answer.check == WHOLE:
        return []
    on = matrix.on(difference.new.build, difference.new.subject)
    return [
        seen.cell.id for check, seen in on.items() if check.probe == difference.answer.check.probe
    ]


def _twin(comparison: Comparison | None, build: BuildId, subject: str) -> str:
    if comparison is None:
        return ""
    label = build.label if subject == BUILTIN else f"{subject} on {build.label}"
    found = next((old for old, new in comparison.pairs if new == label), "")
    return found.removeprefix(f"{subject} on ")


def _path(matrix: Matrix, cells: Iterable[CellId]) -> str:
    found = {cell.params.get("path", "") for name in cells if (cell := matrix.cell(name))}
    return found.pop() if len(found) == 1 else ""


def _first(
    assessment: Assessment, lost: Sequence[Difference], failed: Sequence[CellId]
) -> Column | None:
    """The oldest column from which on any of it is so."""
    cells = {*(each.cell for each in lost), *failed}
    firsts = [
        group.first
        for groups in assessment.alarms.values()
        for group in groups
        if group.first is not None and cells & set(group.cells)
    ]
    return min(firsts, key=lambda column: column.order, default=None)
