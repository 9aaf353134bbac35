"""A run in one paragraph, to be pasted into a chat or an umbrella issue."""

from __future__ import annotations

import re
from collections.abc import Mapping

from compat.findings.baselines import PREVIOUS, STABLE
from compat.findings.compare import Comparison
from compat.findings.model import Findings
from compat.report.escape import code, plain
from compat.runs.history import day_of, run_id
from compat.runs.model import Outcome, Run, Status

_MOST = 3
_TELLING = re.compile("the gate opens|no gate is shipped|the workaround is needed")


def paragraph(run: Run, findings: Findings, comparisons: Mapping[str, Comparison]) -> str:
    """What was run, what is unexpected, what is new, what can move: markdown, one line."""
    return " ".join(
        [
            _what_was_run(run, findings),
            *(_against(name, each) for name, each in comparisons.items()),
            *_telling(findings),
        ]
    )


def _what_was_run(run: Run, findings: Findings) -> str:
    ran = [code(build.label) for build in run.builds if build.status is Status.OK]
    passed = sum(cell.outcome is Outcome.PASS for cell in run.cells)
    unexpected, expected = len(findings.unexpected), len(findings.expected)
    said = (
        "The run is unhealthy: its controls failed, so it proves nothing."
        if findings.failed_controls
        else f"{unexpected or 'Nothing'} unexpected, {expected} known failures."
    )
    return (
        f"**PyTorch compiler compatibility, {day_of(run_id(run))}:** {len(ran)} builds "
        f"({', '.join(ran)}), {passed} of {len(run.cells)} cells passed. {said}"
    )


def _against(name: str, comparison: Comparison) -> str:
    sides = {
        PREVIOUS: f"Against the run before, {code(comparison.old)}:",
        STABLE: f"{code(comparison.new)} against its stable twin {code(comparison.old)}:",
    }[name]
    if comparison.failed_controls:
        return f"{sides} nothing can be said."
    fixed = comparison.totals["fixed"]
    rest = f", {fixed} fixed" if fixed else ""
    groups = comparison.new_groups
    if not groups:
        return f"{sides} nothing is new{rest}."
    said = "; ".join(f"{code(group.what)} ({len(group.cells)})" for group in groups[:_MOST])
    more = f"; and {len(groups) - _MOST} more" if len(groups) > _MOST else ""
    return f"{sides} {comparison.totals['new']} new{rest}: {said}{more}."


def _telling(findings: Findings) -> list[str]:
    """Which gates should move, and where the workaround is needed."""
    said = []
    for sentence in findings.sentences:
        about, _, what = sentence.title.partition(": ")
        if _TELLING.match(what):
            said.append(f"{code(about)}: {plain(what)}.")
    return said
