"""What a run comes to: the first thing that every reader is told, and what a command ends with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from compat.findings.changes import Comparison, Group
from compat.findings.model import Findings
from compat.runs.history import WHOLE
from compat.runs.ids import AnswerId, BuildId, CellId
from compat.runs.model import Outcome, Pair, Status
from compat.topics.matrix import Matrix


class Color(str, Enum):
    """A run in one word."""

    RED = "red"  # something unexpected was seen
    GREY = "grey"  # its controls failed, or nothing was seen: it proves nothing
    AMBER = "amber"  # nothing unexpected, and not all was tested
    GREEN = "green"


@dataclass(frozen=True, kw_only=True)
class NotTested:
    """A build of which nothing is known; ``names`` are what it was asked for as."""

    build: BuildId
    names: tuple[str, ...]
    reason: str


@dataclass(frozen=True, kw_only=True)
class Assessment:
    """What a run comes to.

    Attributes:
        tested: The builds that were run to their end.
        not_tested: Those that could not be had.
        broken: Those that were there and did not come to their end, with the reason.
        broken_pairs: Subjects that did not come to their end on a build for which they are made.
        failures: Cells that ended badly and are not explained.
        silent: Cells that say nothing although their build was run, or that are controls and do not
            say what they have to.
        alarms: By comparison: answers that were lost or are worse, and are not explained.
        known: How many cells ended badly as expected.
        unknown: How many cells of the builds that were run say nothing.
        proves_nothing: Why; empty where the run is healthy.
    """

    color: Color
    tested: tuple[BuildId, ...]
    not_tested: tuple[NotTested, ...]
    broken: Mapping[BuildId, str]
    broken_pairs: tuple[Pair, ...]
    failures: tuple[CellId, ...]
    silent: tuple[CellId, ...]
    alarms: Mapping[str, tuple[Group, ...]]
    known: int
    unknown: int
    proves_nothing: str

    @property
    def lost(self) -> frozenset[tuple[AnswerId, CellId]]:
        """Answers that were lost or are worse, and the cells that say so.

        What is lost against both baselines is one thing; so is a cell that failed, or a build that
        broke, and its loss.
        """
        told = {*self.failures, *self.silent}
        return frozenset(
            (each.answer, each.cell)
            for groups in self.alarms.values()
            for group in groups
            for each in group.differences
            if each.cell not in told
            and not (each.answer.check == WHOLE and each.new.build in self.broken)
        )

    @property
    def red(self) -> int:
        """How many things are unexpected."""
        broken = len(self.broken) + len(self.broken_pairs)
        return broken + len(self.failures) + len(self.silent) + len(self.lost)

    @property
    def status(self) -> int:
        """What a command ends with: 0 where nothing unexpected was seen, 1 otherwise."""
        return 1 if self.color in {Color.RED, Color.GREY} else 0


def assess(matrix: Matrix, findings: Findings, comparisons: Mapping[str, Comparison]) -> Assessment:
    """Sum a run up."""
    builds = matrix.builds
    broken = {build.id: build.reason for build in builds if build.status is Status.BROKEN}
    alarms = {
        name: tuple(comparison.alarms)
        for name, comparison in comparisons.items()
        if comparison.alarms
    }
    passed = any(cell.outcome is Outcome.PASS for cell in matrix.run.cells)
    proves_nothing = (
        "not one cell passed"
        if not passed
        else f"{len(findings.failed_controls)} of its controls failed"
        if findings.failed_controls
        else ""
    )
    not_tested = (
        *(
            NotTested(build=build.id, names=build.aliases, reason=build.reason)
            for build in builds
            if build.status is Status.UNAVAILABLE
        ),
        *(
            NotTested(
                build=pair.build,
                names=(pair.label,),
                reason=pair.reason,
            )
            for pair in matrix.run.pairs
            if pair.status is Status.UNAVAILABLE
        ),
    )
    broken_pairs = tuple(
        pair for pair in matrix.run.pairs if pair.status is Status.BROKEN and pair.supported
    )
    ran = {build.id for build in builds if build.status is not Status.UNAVAILABLE}
    bad = {cell.id for cell in matrix.run.cells if cell.outcome.bad}
    unknown = sum(not cell.outcome.known for cell in matrix.run.cells if cell.build in ran)
    if proves_nothing:
        color = Color.GREY
    elif broken or broken_pairs or findings.unexpected or alarms:
        color = Color.RED
    else:
        color = Color.AMBER if not_tested or unknown else Color.GREEN
    return Assessment(
        color=color,
        tested=tuple(build.id for build in builds if build.status is Status.OK),
        not_tested=not_tested,
        broken=broken,
        broken_pairs=broken_pairs,
        failures=tuple(cell for cell in findings.unexpected if cell in bad),
        silent=tuple(cell for cell in findings.unexpected if cell not in bad),
        alarms=alarms,
        known=len(findings.expected),
        unknown=unknown + len(findings.unfit),
        proves_nothing=proves_nothing,
    )
