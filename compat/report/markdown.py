"""The report as markdown: a pure function of what a run comes to."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from importlib import resources
from itertools import groupby

import jinja2

from compat.document.escape import code, plain
from compat.document.parts import Code, Link, Sentence, Strong, Table, Text
from compat.findings.model import ExpectationFinding, Use
from compat.findings.results import Results
from compat.report.attached import attached
from compat.report.chapters import Chapter, chapters
from compat.report.failures import Failure, failures, what_happened
from compat.report.first import first_screen
from compat.report.places import REPROS
from compat.report.repeat import RepeatCommands
from compat.report.repro import can_be_made
from compat.report.shown import (
    cell_links,
    folded,
    markdown_section,
    markdown_table,
    markdown_tables,
    markdown_text,
)
from compat.report.words import MEANINGS, number_of, shortened
from compat.runs.failures import signature_of_cell
from compat.runs.ids import BUILTIN, BuildId, CellId
from compat.runs.model import Build, Cell, Outcome, Run
from compat.runs.signature import normalise
from compat.topics.words import GLYPHS

# Of what a failure is known by; the page has all of it.
_LONGEST = 120
# Where the page is, seen from the README.
PAGE = "site/index.html"
EXPECTED = "What [`expectations.toml`](../compat/findings/expectations.toml) knows."
_GIT_LENGTH = 10
_LINK = re.compile(r"https:/\S+")


def render(results: Results) -> str:
    """``reports/README.md``."""
    commands = RepeatCommands(results.run)
    environment = jinja2.Environment(
        autoescape=False,  # noqa: S701  (markdown; every value is escaped by what shows it)
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    template = resources.files("compat.report").joinpath("report.md.jinja").read_text("utf-8")
    return environment.from_string(template).render(
        first=first_screen(results, PAGE),
        failures=_failures(results, commands),
        expectations=_folded_table("What is expected", EXPECTED, _expectations(results)),
        glyphs=_glyphs(),
        overview=_overview(results),
        chapters="\n\n".join(filter(None, map(_chapter, chapters(results)))),
        provenance="\n\n".join(_provenance(results)),
    )


def _glyphs() -> str:
    """What stands in tables in the place of a word."""
    outcomes = ", ".join(f"{GLYPHS[each]} {each.value}" for each in Outcome)
    return f"{outcomes}. `=`: the very same bits; `≈`: equal within tolerance."


def _folded_table(title: str, intro: str, table: Table) -> str:
    shown = markdown_tables(table, PAGE)
    return folded(title, f"{intro}\n\n{shown}") if shown else ""


def _chapter(chapter: Chapter) -> str:
    """What a topic found, and its tables, each of which unfolds below it."""
    findings = "\n".join(f"- {_finding(each)}" for each in chapter.sentences)
    tables = [shown for each in chapter.sections if (shown := markdown_section(each, PAGE))]
    if len(tables) == 1 and not findings:
        return tables[0]
    counts = {"finding": len(chapter.sentences), "table": len(tables)}
    holds = ", ".join(number_of(count, thing) for thing, count in counts.items() if count)
    parts = list(filter(None, [findings, *tables]))
    return folded(f"{chapter.title}: {holds}", "\n\n".join(parts)) if parts else ""


def _finding(sentence: Sentence) -> str:
    seen = f" Seen in {cell_links(sentence.cells, PAGE)}." if sentence.cells else ""
    return f"**{plain(sentence.title)}.** {plain(sentence.text)}{seen}"


def _failures(results: Results, commands: Mapping[CellId, str]) -> str:
    """Every cell that is flaky, ended badly or says nothing, by what it ended with and why."""
    files = attached(results)
    parts = []
    for kind, group in groupby(failures(results), key=lambda each: each.kind):
        own = list(group)
        number = number_of(sum(len(each.cells) for each in own), "cell")
        items = "\n".join(
            _failure(each, commands, results.findings.unfit, files.names) for each in own
        )
        said = f"{kind.value}: {number}, {number_of(len(own), 'cause')}"
        parts.append(folded(said, "\n\n".join(filter(None, (_as_files(own), items)))))
    return "\n\n".join(parts)


def _as_files(own: Sequence[Failure]) -> str:
    """Of how many cells the command makes a file: the page names it for each."""
    number = sum(can_be_made(cell) for failure in own for cell in failure.cells)
    if not number:
        return ""
    return (
        "`repro` is one file that shows it on the newest of those builds and needs nothing of this "
        f"project. `compat repro CELL` writes one of each of {number} of these cells; the page "
        "gives the command."
    )


def _failure(
    failure: Failure,
    commands: Mapping[CellId, str],
    unfit: Mapping[CellId, str],
    files: Mapping[CellId, str],
) -> str:
    cells, known = failure.cells, failure.known
    some = cells[0]
    builds = ", ".join(dict.fromkeys(_where(cell) for cell in cells))
    happened = what_happened(some, unfit)
    signature = signature_of_cell(some)
    known_by = plain(shortened(signature or happened, _LONGEST))
    file = f"; [`repro`]({REPROS}/{files[some.id]})" if some.id in files else ""
    return "  \n".join(
        [
            f"- {GLYPHS[some.outcome]} {some.outcome.value}: **{known_by}**",
            f"  {plain(number_of(len(cells), 'cell'))} on {plain(builds)}: "
            f"{cell_links([cell.id for cell in cells], PAGE)}{file}",
            *(
                [f"  {plain(happened)}"]
                if signature
                and _without_links(normalise(happened)) not in _without_links(signature)
                else []
            ),
            *(
                [f"  {plain(known.reason)} {markdown_text(Link('link', known.link), PAGE)}"]
                if known
                else []
            ),
            *([] if known else [f"  Repeat: {code(commands[some.id])}"]),
        ]
    )


def _without_links(text: str) -> str:
    """Signatures of older runs have links that were taken for folders."""
    return _LINK.sub("", text)


def _where(cell: Cell) -> str:
    return cell.build.label if cell.subject == BUILTIN else f"{cell.subject} on {cell.build.label}"


def _overview(results: Results) -> str:
    """How many cells of each build ended in which way, and what each way means."""
    shown = markdown_table(overview(results))
    return folded(
        "How many cells of each build ended in which way",
        f"{shown}\n\n{markdown_table(_legend())}",
    )


def _provenance(results: Results) -> Iterable[str]:
    run = results.run
    for title, table in {
        "Builds that were not tested, or broke as a whole": _missing(results),
        "Builds": _builds(run),
        "What was asked for, and the wheel that was had": _wheels(run),
        "Executions that saw the cells": _sources(run),
        "What each check asks": _descriptions(run),
    }.items():
        if shown := markdown_table(table, PAGE):
            yield folded(title, shown)


def overview(results: Results) -> Table:
    """A row for each build: what was asked of it, and how that ended."""
    by_build: dict[BuildId, list[Outcome]] = {build.id: [] for build in results.run.builds}
    for cell in results.run.cells:
        by_build[cell.build].append(cell.outcome)
    headers = ["build", *(f"{GLYPHS[outcome]} {outcome.value}" for outcome in Outcome)]
    rows: list[list[Text]] = []
    for build in results.run.builds:
        counts = Counter(by_build[build.id])
        names = ", ".join(name for name in build.aliases if name != build.id.name)
        label: Text = (Strong(build.label), f" {names}") if names else Strong(build.label)
        rows.append([label, *(str(counts[outcome] or "") for outcome in Outcome)])
    return Table(headers=headers, rows=rows)


def _expectations(results: Results) -> Table:
    """What is known to end badly, and which of these entries should be looked at."""
    rows: list[list[Text]] = []
    unasked = 0
    for each in results.findings.expectations:
        if each.use is Use.UNASKED and not each.overdue:
            unasked += 1
            continue
        rows.append(
            [
                Code(f"{each.probe} {each.answer}".strip()),
                each.builds,
                _use(each),
                (f"{each.reason} ", Link("link", each.link)),
                (each.review_by, Strong(" overdue")) if each.overdue else each.review_by,
            ]
        )
    if unasked:
        rows.append(["", "", f"{unasked} more not asked in this run", "", ""])
    return Table(headers=["probe", "builds", "seen", "why", "review by"], rows=rows)


def _use(each: ExpectationFinding) -> Text:
    match each.use:
        case Use.UNUSED:
            return (Strong("unused"), ": no cell ended so")
        case Use.UNASKED:
            return "not asked in this run"
        case Use.USED:
            return number_of(len(each.cells), "cell") if each.cells else "the answer is there"


def _missing(results: Results) -> Table:
    """Builds of which nothing is known, or that broke as a whole, and why."""
    rows: list[list[Text]] = [
        [", ".join(each.names), each.build.device, "not tested", each.reason]
        for each in results.assessment.not_tested
    ]
    rows += [
        [build.label, build.device, "broken as a whole", reason]
        for build, reason in results.assessment.broken.items()
    ]
    rows += [
        [pair.label, pair.build.device, "broken as a whole", pair.reason]
        for pair in results.assessment.broken_pairs
    ]
    return Table(headers=["asked for as", "device", "", "why"], rows=rows)


def _builds(run: Run) -> Table:
    headers = ["build", "version", "git", "Triton", "Python", "device", "note"]
    return Table(headers=headers, rows=[_build(build) for build in run.builds])


def _build(build: Build) -> list[Text]:
    device = build.device
    return [
        Strong(build.label),
        f"{build.version} {build.channel}".strip(),
        Code(build.git_version[:_GIT_LENGTH]),
        build.triton,
        build.python,
        " ".join(filter(None, [device.kind, device.name, device.driver or ""])),
        "; ".join(filter(None, [build.note, build.reason])),
    ]


def _wheels(run: Run) -> Table:
    return Table(
        headers=["build", "asked for as", "wheel", "sha256"],
        rows=[
            [
                Strong(each.label),
                ", ".join(each.aliases),
                Code(each.wheel.filename if each.wheel else ""),
                Code(each.wheel.sha256[:_GIT_LENGTH] if each.wheel else ""),
            ]
            for each in run.builds
        ],
    )


def _sources(run: Run) -> Table:
    """The executions that saw the cells, with the number of these."""
    seen = Counter(cell.seen_in for cell in run.cells)
    return Table(
        headers=["seen in", "harness", "at", "host", "cells"],
        rows=[
            [
                Code(source.id),
                source.harness.version,
                Code(
                    source.harness.commit[:_GIT_LENGTH] + "+" * source.harness.commit.endswith("+")
                ),
                f"{source.host.system}, {source.host.cpu}, {source.host.cores} cores",
                str(seen[source.id]),
            ]
            for source in run.sources
        ],
    )


def _legend() -> Table:
    rows = [[GLYPHS[outcome], outcome.value, MEANINGS[outcome]] for outcome in Outcome]
    return Table(headers=["", "outcome", "meaning"], rows=rows)


def _descriptions(run: Run) -> Table:
    rows: list[list[Text]] = [[Code(name), text] for name, text in run.descriptions.items()]
    return Table(headers=["probe", "what it asks"], rows=rows)
