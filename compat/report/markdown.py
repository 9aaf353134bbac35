"""The report as markdown: a pure function of what a run comes to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from importlib import resources

import jinja2

from compat.document.escape import code, plain
from compat.document.parts import Code, Link, Section, Strong, Table, Text
from compat.findings.baselines import PREVIOUS, STABLE
from compat.findings.model import ExpectationFinding, Use
from compat.findings.results import Results
from compat.report.awaited import show_awaited
from compat.report.comparison import comparison_markdown
from compat.report.repeat import repeat_commands
from compat.report.shown import markdown_sections, markdown_table
from compat.report.verdict import GLYPHS as COLORS
from compat.report.verdict import verdict
from compat.report.words import MEANINGS
from compat.runs.ids import BuildId, CellId
from compat.runs.model import Build, Cell, Outcome, Run
from compat.topics.devices.view import show_differences
from compat.topics.registry import TOPICS
from compat.topics.words import GLYPHS

_GIT_LENGTH = 10


def render(results: Results) -> str:
    """``reports/README.md``."""
    commands = repeat_commands(results.run)
    compared = {
        name: comparison_markdown(each, commands) for name, each in results.comparisons.items()
    }
    environment = jinja2.Environment(
        autoescape=False,  # noqa: S701  (markdown; every value is escaped by what shows it)
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    template = resources.files("compat.report").joinpath("report.md.jinja").read_text("utf-8")
    return environment.from_string(template).render(
        verdict=f"{COLORS[results.assessment.color]} {plain(verdict(results.assessment))}",
        findings=results.findings,
        overview=markdown_table(overview(results)),
        previous=compared.get(PREVIOUS),
        stable=compared.get(STABLE),
        expectations=markdown_table(_expectations(results)),
        controls=markdown_table(_controls(results)),
        sections=markdown_sections(_sections(results)),
        trouble=markdown_table(_trouble(results, commands)),
        missing=markdown_table(_missing(results)),
        provenance=markdown_table(_provenance(results.run)),
        sources=markdown_table(_sources(results.run)),
        legend=markdown_table(_legend()),
        probes=markdown_table(_descriptions(results.run)),
        counts=counted(cell.outcome for cell in results.run.cells),
        plain=plain,
        code=code,
    )


def _sections(results: Results) -> Iterable[Section]:
    yield from show_awaited(results.awaited)
    for topic in TOPICS:
        yield from topic.show(results.matrix, results.findings.topics[topic.name])
    yield from show_differences(results.findings.devices)


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


def counted(outcomes: Iterable[Outcome]) -> str:
    """How many cells ended in which way, with glyphs."""
    counts = Counter(outcomes)
    return " ".join(f"{GLYPHS[each]} {counts[each]}" for each in Outcome if counts[each])


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
                (f"{each.reason} ", Link("Link", each.link)),
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
            return f"{len(each.cells)} cells" if each.cells else "the answer is there"


def _controls(results: Results) -> Table:
    return Table(
        headers=["control that failed", "what it is for"],
        rows=[[Code(cell), reason] for cell, reason in results.findings.failed_controls.items()],
    )


def _trouble(results: Results, commands: Mapping[CellId, str]) -> Table:
    """Every cell that is flaky, ended badly or says nothing although its build was run."""
    matrix = results.matrix
    expected, unfit = set(results.findings.expected), results.findings.unfit
    rows: list[list[Text]] = [
        [
            f"{GLYPHS[cell.outcome]} {cell.outcome.value}"
            + (", expected" if cell.id in expected else ""),
            Code(cell.id),
            _what_happened(cell, unfit),
            cell.signature,
            Code(commands[cell.id]),
        ]
        for cell in results.run.cells
        if cell.flaky or cell.outcome.bad or cell.id in unfit or matrix.is_silent(cell)
    ]
    headers = ["outcome", "cell", "what happened", "signature", "to repeat it"]
    return Table(headers=headers, rows=rows)


def _what_happened(cell: Cell, unfit: Mapping[CellId, str]) -> str:
    said = [cell.reason]
    if cell.first is not None and cell.flaky:
        said = [f"flaky: at first {cell.first.outcome.value}, {cell.first.reason}", *said]
    if cell.id in unfit:
        said.append(f"its record cannot be read: {unfit[cell.id]}")
    return "; then ".join(filter(None, said))


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


def _provenance(run: Run) -> Table:
    headers = [
        *("build", "asked for as", "version", "channel", "git", "Triton", "Python"),
        *("device", "wheel", "sha256", "note"),
    ]
    return Table(headers=headers, rows=[_provenance_of(build) for build in run.builds])


def _provenance_of(build: Build) -> list[Text]:
    device = build.device
    return [
        Strong(build.label),
        ", ".join(build.aliases),
        build.version,
        f"{build.channel} {build.variant}".strip(),
        Code(build.git_version[:_GIT_LENGTH]),
        build.triton,
        build.python,
        " ".join(filter(None, [device.kind, device.name, device.driver or ""])),
        Code(build.wheel.filename if build.wheel else ""),
        Code(build.wheel.sha256[:_GIT_LENGTH] if build.wheel else ""),
        "; ".join(filter(None, [build.note, build.reason])),
    ]


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
