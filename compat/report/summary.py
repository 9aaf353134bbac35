"""What a run says at its end, in the terminal."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console

from compat.findings.model import Findings
from compat.report.markdown import overview
from compat.runs.model import Run

_MOST = 10


def print_summary(run: Run, findings: Findings, report: Path, console: Console) -> None:
    """The table build × path, the findings, what was unexpected, and where the report is."""

    def say(text: str = "") -> None:
        # Text from a run is not to be taken for markup.
        console.print(text, markup=False, highlight=False, soft_wrap=True)

    say()
    say(overview(run, findings).replace("**", "").replace("\\", ""))
    say()
    for sentence in findings.sentences:
        say(f"* {sentence.title}. {sentence.text}")
    say()
    for title, names in (("Flaky", findings.flaky), ("Unexpected", findings.unexpected)):
        if names:
            say(f"{title}: {len(names)}")
        for name in names[:_MOST]:
            say(f"  {name}")
        if len(names) > _MOST:
            say(f"  … and {len(names) - _MOST} more")
    if not findings.unexpected:
        say("Nothing unexpected was seen.")
    say(f"Report: {report}")
