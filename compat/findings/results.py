"""A run with all that follows from it: what every report and every question begins with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from compat.findings.answers import all_answers, entries_of
from compat.findings.assess import Assessment, assess
from compat.findings.awaits import NOTHING, Awaited, Awaits, find_awaited
from compat.findings.baselines import comparisons, of_two_builds
from compat.findings.changes import Comparison, Difference, Expected, compare
from compat.findings.derive import derive
from compat.findings.excuses import Excuse, excuses
from compat.findings.expectations import Expectations
from compat.findings.model import Findings
from compat.findings.nights import Night, nights
from compat.findings.upgrade import Upgrade, upgrade
from compat.runs.history import Entry, History, append
from compat.runs.ids import BuildId
from compat.runs.model import Run
from compat.topics.matrix import Matrix
from compat.topics.suites.topic import TOPIC as SUITES


@dataclass(frozen=True, kw_only=True)
class Results:
    """Everything that is known of a run.

    Attributes:
        entries: The run as entries of the history.
        history: These, and what came before.
        comparisons: With the run before and with the stable twin, where there are such.
        awaited: The fixes that somebody waits for, and how they stand.
        upgrade: Which gates and workarounds can go.
        excuses: Which builds are ready for whom.
        expected: Whether a loss is known and explained.
    """

    matrix: Matrix
    findings: Findings
    entries: tuple[Entry, ...]
    history: History
    comparisons: Mapping[str, Comparison]
    assessment: Assessment
    upgrade: Upgrade
    excuses: tuple[Excuse, ...]
    expected: Expected
    awaited: tuple[Awaited, ...] = ()

    @property
    def run(self) -> Run:
        return self.matrix.run

    def between(self, old: BuildId, new: BuildId) -> Comparison | None:
        """What two builds of the run say of all that both were asked; None where nothing was."""
        before, now = (
            [entry for entry in self.entries if entry.column.build == build] for build in (old, new)
        )
        pairs = of_two_builds(before, now)
        if not pairs:
            return None
        return compare(
            old,
            new,
            pairs,
            history=self.history,
            expected=self.expected,
            failed_controls=self.findings.failed_controls,
        )

    @cached_property
    def nights(self) -> Mapping[str, Sequence[Night]]:
        """By device, what each run of the history changed; a long history takes seconds."""
        return nights(self.history)


def results_of(
    run: Run, history: History, expectations: Expectations, awaits: Awaits = NOTHING
) -> Results:
    """What ``run`` comes to; ``history`` is what came before, whether it knows ``run`` or not."""
    matrix = Matrix(run)
    answers = all_answers(matrix)
    findings = derive(matrix, answers, expectations)
    entries = entries_of(matrix, answers)
    awaited = find_awaited(awaits, entries, history)
    history = append(history, entries)
    # Of a suite, what ends badly on the stable twin as well is no news of the build.
    excused = findings.topics[SUITES.name].excused()

    def expected(difference: Difference) -> bool:
        return difference.cell in excused or expectations.explain(matrix, difference)

    compared = comparisons(run, entries, history, expected, findings.failed_controls)
    assessment = assess(matrix, findings, compared)
    return Results(
        matrix=matrix,
        findings=findings,
        entries=tuple(entries),
        history=history,
        comparisons=compared,
        assessment=assessment,
        upgrade=upgrade(matrix, findings.topics),
        excuses=tuple(excuses(matrix, findings, assessment, compared)),
        expected=expected,
        awaited=awaited,
    )
