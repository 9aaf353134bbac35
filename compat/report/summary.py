"""What a run says at its end, in the terminal."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from rich.console import Console

from compat.findings.compare import Comparison
from compat.findings.model import Findings, Met
from compat.report.comparison import comparison_text
from compat.report.markdown import overview
from compat.report.paragraph import paragraph
from compat.report.repeat import repeat_commands
from compat.runs.model import Run

_MOST = 10


def print_summary(
    run: Run,
    findings: Findings,
    comparisons: Mapping[str, Comparison],
    report: Path,
    console: Console,
) -> None:
    """The table build × path, findings, comparisons, what was unexpected, where the report is."""

    def say(text: str = "") -> None:
        # Text from a run is not to be taken for markup.
        console.print(text, markup=False, highlight=False, soft_wrap=True)

    say()
    say(overview(run, findings).replace("**", "").replace("\\", ""))
    say()
    for sentence in findings.sentences:
        say(f"* {sentence.title}. {sentence.text}")
    for comparison in comparisons.values():
        say()
        say(comparison_text(comparison, repeat_commands(run)))
    say()
    for title, names in (
        ("Flaky", findings.flaky),
        ("Failed as controls", list(findings.failed_controls)),
        ("Unexpected", findings.unexpected),
    ):
        if names:
            say(f"{title}: {len(names)}")
        for name in names[:_MOST]:
            say(f"  {name}")
        if len(names) > _MOST:
            say(f"  … and {len(names) - _MOST} more")
    for entry in findings.expectations:
        why = ["unused"] * (entry.met is Met.UNUSED) + ["overdue"] * entry.overdue
        if why:
            said = f"{entry.probe} on {entry.builds or 'all builds'}: {entry.reason}"
            say(f"Expectation that is {' and '.join(why)}: {said}")
    if not findings.unexpected:
        say("Nothing unexpected was seen.")
    say()
    say(paragraph(run, findings, comparisons))
    say()
    say(f"Report: {report}")
