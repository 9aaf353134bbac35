"""What a run says at its end, in the terminal."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console
from tabulate import tabulate

from compat.document.escape import printed
from compat.document.parts import plain_text
from compat.findings.model import Use
from compat.findings.results import Results
from compat.report.awaited import awaited_lines
from compat.report.comparison import alarms_text
from compat.report.excuses import excuses_text
from compat.report.markdown import overview
from compat.report.repeat import RepeatCommands
from compat.report.verdict import verdict
from compat.report.words import number_of

_MOST = 10
# Subjects and gates come first; six builds at default depth have some sixty.
_MOST_SENTENCES = 25


def print_summary(results: Results, report: Path, console: Console) -> None:
    """The verdict last, where it stays on the screen; above it what it rests on.

    The rest of what was found, and what changed without an alarm, is in the report alone.
    """
    findings = results.findings

    def say(text: str = "") -> None:
        # Text from a run is not to be taken for markup.
        console.print(printed(text), markup=False, highlight=False, soft_wrap=True)

    table = overview(results)
    rows = [[plain_text(cell) for cell in row] for row in table.rows]
    say()
    say(tabulate(rows, headers=[plain_text(each) for each in table.headers], disable_numparse=True))
    say()
    for sentence in findings.sentences[:_MOST_SENTENCES]:
        say(f"* {sentence.title}. {sentence.text}")
    if (rest := len(findings.sentences) - _MOST_SENTENCES) > 0:
        say(f"… and {number_of(rest, 'finding')} more in the report")
    commands = RepeatCommands(results.run)
    for comparison in results.comparisons.values():
        say()
        say(alarms_text(comparison, commands))
    say()
    for title, names in (
        ("Flaky", findings.flaky),
        ("Failed as controls", tuple(findings.failed_controls)),
        ("Unexpected", findings.unexpected),
        ("Records that cannot be read", tuple(findings.unfit)),
    ):
        if names:
            say(f"{title}: {len(names)}")
        for name in names[:_MOST]:
            say(f"  {name}")
        if len(names) > _MOST:
            say(f"  … and {len(names) - _MOST} more")
    for entry in findings.expectations:
        why = ["unused"] * (entry.use is Use.UNUSED) + ["overdue"] * entry.overdue
        if why:
            said = f"{entry.probe} on {entry.builds or 'all builds'}: {entry.reason}"
            say(f"Expectation that is {' and '.join(why)}: {said}")
    for line in awaited_lines(results.awaited):
        say(f"Awaited: {line}")
    for line in excuses_text(results):
        say(line)
    say()
    say(verdict(results.assessment))
    say()
    say(f"Report: {report}")
