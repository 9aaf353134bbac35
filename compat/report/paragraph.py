"""A run in one paragraph, to be pasted into a chat or an umbrella issue."""

from __future__ import annotations

from collections.abc import Mapping

from compat.document.escape import code, plain
from compat.findings.baselines import PREVIOUS, STABLE
from compat.findings.changes import Comparison
from compat.findings.results import Results
from compat.report.comparison import title
from compat.report.verdict import verdict
from compat.runs.answers import Change
from compat.runs.history import day_of, run_id

# A candidate that is worse in a few ways is told in all of them.
_MOST = 8


def paragraph(results: Results) -> str:
    """What the run comes to and what is new in it: markdown, one line."""
    builds = ", ".join(code(build.label) for build in results.assessment.tested)
    return " ".join(
        [
            f"**PyTorch compiler compatibility, {day_of(run_id(results.run))}:** "
            f"{plain(verdict(results.assessment))} Builds: {builds or 'none'}.",
            *_compared(results.comparisons),
        ]
    )


def _compared(comparisons: Mapping[str, Comparison]) -> list[str]:
    return [_against(name, comparison) for name, comparison in comparisons.items()]


def _against(name: str, comparison: Comparison) -> str:
    sides = {
        PREVIOUS: f"Against the run before, {code(comparison.old)}:",
        STABLE: f"{code(comparison.new)} against {code(comparison.old)}:",
    }[name]
    if comparison.failed_controls:
        return f"{sides} nothing can be said."
    lost = sum(len(group.differences) for group in comparison.alarms)
    counts = {change: comparison.totals[change] for change in Change}
    said = f"{lost} unexpectedly lost or worse, {counts[Change.CHANGED]} changed, "
    said += f"{counts[Change.GAINED] + counts[Change.BETTER]} gained or better"
    told = "; ".join(plain(title(group)) for group in comparison.alarms[:_MOST])
    more = len(comparison.alarms) - _MOST
    return f"{sides} {said}{f': {told}' if told else ''}{f'; and {more} more' if more > 0 else ''}."
