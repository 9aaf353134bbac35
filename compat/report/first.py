"""The first screen of the README, of an issue and of a job's summary: what a reader decides by."""

from __future__ import annotations

from collections.abc import Iterable

from compat.document.escape import plain
from compat.document.parts import Seen, Table, Text
from compat.findings.baselines import PREVIOUS, STABLE
from compat.findings.results import Results
from compat.report.comparison import comparison_markdown
from compat.report.excuses import excuses_markdown
from compat.report.plots import Plot, nights_plot, support_plot
from compat.report.repeat import RepeatCommands
from compat.report.shown import folded, markdown_table, markdown_text
from compat.report.upgrade import HOW_TO_READ, costs, meanings, upgrade_notes, upgrade_table
from compat.report.verdict import GLYPHS, verdict

COMPARED = {PREVIOUS: "Since the run before", STABLE: "Against a release"}
# What is compared there, where the heading does not say it.
MEANS = {
    PREVIOUS: "",
    STABLE: "Each nightly and candidate is compared with the newest release of its device and "
    "Python; where all are releases, the newest is compared with the one before.",
}


def first_screen(results: Results, page: str = "") -> str:
    """Verdict, upgrade table, excuses, changes; ``page`` is where cells lead to, if anywhere."""
    assessment = results.assessment
    parts = [
        f"**{GLYPHS[assessment.color]} {plain(verdict(assessment))}**",
        *_controls(results, page),
        *_upgrade(results, page),
        "## Which builds are ready",
        excuses_markdown(results, page) or "Nothing is compared with a release in this run.",
        *_changes(results, page),
    ]
    return "\n\n".join(filter(None, parts))


def _controls(results: Results, page: str) -> Iterable[str]:
    failed = results.findings.failed_controls
    if failed:
        rows: list[list[Text]] = [[Seen(cell), reason] for cell, reason in failed.items()]
        yield "## Controls that failed"
        yield "What has to be seen was not seen, so nothing else in this run proves anything."
        headers = ["control that failed", "what it is for"]
        yield markdown_table(Table(headers=headers, rows=rows), page)


def _upgrade(results: Results, page: str) -> Iterable[str]:
    table = markdown_table(upgrade_table(results.upgrade), page)
    if not table:
        return
    yield "## What you can delete, and from which torch on"
    yield markdown_text(HOW_TO_READ)
    yield table
    yield "\n".join(f"- {plain(note)}" for note in upgrade_notes(results.upgrade))
    if told := meanings(results.upgrade):
        yield folded(
            f"What the rows mean, and what they rest on: {len(told)}",
            "\n".join(f"- {plain(each)}" for each in told),
        )
    if found := costs(results.upgrade):
        said = "\n".join(
            f"- {mark} {markdown_text(row.name, page)}: {plain(row.cost)}" for mark, row in found
        )
        yield folded(f"{' '.join(mark for mark, _ in found)} What deleting costs", said)
    if page:
        yield from map(_plot, support_plot(results))


def _changes(results: Results, page: str) -> Iterable[str]:
    if not results.comparisons:
        return
    commands = RepeatCommands(results.run)
    yield "## What changed"
    for name, comparison in results.comparisons.items():
        shown = comparison_markdown(comparison, commands, page)
        yield " ".join(filter(None, (f"**{COMPARED[name]}.**", MEANS[name], shown)))
    if page:
        yield from map(_plot, nights_plot(results))


def _plot(plot: Plot) -> str:
    """A file beside the README; an issue or a summary has none."""
    return folded(f"Drawn: {plot.title}", f"{plot.text}\n\n![{plot.title}]({plot.name})")
