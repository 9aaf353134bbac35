"""The issue about a suite in its own repository: open while something regresses."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from compat.document.escape import code
from compat.findings.results import Results
from compat.report.repeat import RepeatCommands
from compat.runs.ids import CellId
from compat.topics.suites.finding import Beside, Judged, Verdict
from compat.tracking.nights import Wanted
from compat.tracking.text import Topic, comment_body

LABEL = "compat-twin"
_MOST = 50


def twin_marker(subject: str) -> str:
    """The first line of the issue about a suite."""
    return f"<!-- torch-compile-compat twin: {subject} -->"


def twin_topics(results: Results, run_link: str) -> Iterator[Topic]:
    """An issue for each suite of a run.

    It is opened by a check that regresses, and closed by a run in which none does and each could
    be told apart.
    """
    found: Sequence[Beside] = results.findings.topics["suites"].beside
    commands = RepeatCommands(results.run)
    for subject in dict.fromkeys(each.subject for each in found):
        mine = [each for each in found if each.subject == subject]
        regressed = [(each, one) for each in mine for one in each.of(Verdict.REGRESSED)]
        untold = any(each.of(Verdict.INCONCLUSIVE) for each in mine) or not any(
            each.judged for each in mine
        )
        wanted = Wanted.OPEN if regressed else Wanted.AS_IS if untold else Wanted.CLOSED
        marker = twin_marker(subject)
        lines = list(_body(mine, regressed, commands))
        lines += ["", f"[The run]({run_link})"] if run_link else []
        text = comment_body("\n".join(lines), run_link)
        yield Topic(
            marker=marker,
            title=f"{subject} regresses on a PyTorch build",
            wanted=wanted,
            body=f"{marker}\n{text}\n",
        )


def _body(
    mine: Sequence[Beside],
    regressed: Sequence[tuple[Beside, Judged]],
    commands: Mapping[CellId, str],
) -> Iterator[str]:
    for each in mine:
        counts = ", ".join(
            f"{number} {verdict.value}" for verdict in Verdict if (number := len(each.of(verdict)))
        )
        yield f"On {code(each.build.label)} beside {code(each.twin.label)}: {counts}."
    yield ""
    if not regressed:
        yield "Nothing regresses. The machine that wrote this closes it."
    for each, one in regressed[:_MOST]:
        yield f"- {code(one.check)} on {code(each.build.label)}: {code(one.said)}"
        yield f"  {code(commands.get(one.cell, ''))}"
    if len(regressed) > _MOST:
        yield f"- … and {len(regressed) - _MOST} more"
