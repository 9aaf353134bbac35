"""The report as a page: one HTML file and the data that its scripts load.

The page works from the file system, where a script may not fetch anything: data comes as scripts
that hand a text of JSON to ``compat``, see ``page/data.js``. Text from a run reaches the page
escaped by the template, or as JSON, which the scripts show as text and as nothing else.
"""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from itertools import combinations
from pathlib import Path
from typing import Any
from urllib.parse import quote

import jinja2
from markupsafe import Markup

from compat.document.escape import spelled
from compat.document.parts import Code, Strong, Text, plain_text
from compat.findings.changes import Comparison, Difference
from compat.findings.results import Results
from compat.report.attached import attached
from compat.report.chapters import chapters
from compat.report.comparison import notes, title, totals
from compat.report.drawing import draw
from compat.report.excuses import excuse_command, reasons, sentence
from compat.report.first import COMPARED, MEANS
from compat.report.past import past
from compat.report.places import REPROS
from compat.report.plots import plots
from compat.report.repeat import RepeatCommands
from compat.report.repro import repro_command
from compat.report.upgrade import HOW_TO_READ, costs, meanings, upgrade_notes, upgrade_table
from compat.report.verdict import verdict
from compat.report.words import MEANINGS, named, value_text
from compat.runs.answers import Change
from compat.runs.history import LETTERS
from compat.runs.ids import BuildId, CellId
from compat.runs.model import JSON, Build, Cell, Outcome, Run, Source
from compat.topics.registry import TOPICS
from compat.topics.words import NOT_KNOWN

STATIC = (
    "style.css",
    "plot.css",
    "data.js",
    "state.js",
    "matrix.js",
    "history.js",
    "cell.js",
    "page.js",
)
_LONGEST_NOTE = 200
_DATE = len("2026-11-22")


def write_site(results: Results, folder: Path) -> None:
    """``folder/index.html`` with all it needs beside it; what was in ``folder`` is replaced."""
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "cells").mkdir(parents=True)
    page = resources.files("compat.report").joinpath("page")
    for name in STATIC:
        (folder / name).write_text(page.joinpath(name).read_text("utf-8"), encoding="utf-8")
    run = results.run
    columns = _columns(run)
    probes = _probes(run)
    commands = RepeatCommands(run)
    files = {cell: f"reports/{REPROS}/{name}" for cell, name in attached(results).names.items()}
    explained = {
        cell: f"{each.reason} {each.link}"
        for each in results.findings.expectations
        for cell in each.cells
    }
    index = page.joinpath("index.html.jinja").read_text("utf-8")
    (folder / "index.html").write_text(_index(index, results, columns, files), encoding="utf-8")
    _write(folder, "matrix-data", _matrix(results, columns, probes))
    for number, probe in enumerate(probes):
        details = [
            [cell and _detail(cell, commands, explained, files) for cell in row]
            for row in probe.rows
        ]
        _write(folder, f"cells/{number}", details)
    _write(folder, "history-data", past(results.history))
    _write(folder, "changes-data", _changes(results))


@dataclass(frozen=True, kw_only=True)
class Column:
    """One build on one device, and when cells of it were seen: dates, the first and the last."""

    build: Build
    first: str
    last: str


@dataclass(frozen=True, kw_only=True)
class Probe:
    """A probe and its rows: for each check the cell of each build, None where there is none."""

    name: str
    rows: Sequence[Sequence[Cell | None]]


def _columns(run: Run) -> list[Column]:
    started = {source.id: source.started[:_DATE] for source in run.sources}
    dates: dict[BuildId, set[str]] = {build.id: set() for build in run.builds}
    for cell in run.cells:
        if cell.seen_in in started:
            dates[cell.build].add(started[cell.seen_in])
    return [
        Column(
            build=build,
            first=min(dates[build.id], default=""),
            last=max(dates[build.id], default=""),
        )
        for build in run.builds
    ]


def _probes(run: Run) -> list[Probe]:
    """In the order in which the run names them."""
    found: dict[str, dict[str, dict[BuildId, Cell]]] = {}
    for cell in run.cells:
        check = named(cell.check, cell.subject)
        checks = found.setdefault(cell.probe, {})
        checks.setdefault(check, {})[cell.build] = cell
    return [
        Probe(
            name=name,
            rows=[[seen.get(build.id) for build in run.builds] for seen in checks.values()],
        )
        for name, checks in found.items()
    ]


def _index(
    template: str, results: Results, columns: Sequence[Column], files: Mapping[CellId, str]
) -> str:
    environment = jinja2.Environment(
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        finalize=_shown,
    )
    environment.filters["quote"] = _quoted
    run = results.run
    counts = Counter(cell.outcome for cell in run.cells)
    table = upgrade_table(results.upgrade)
    return environment.from_string(template).render(
        run=run,
        upgrade=[[_parts(each) for each in row] for row in (table.headers, *table.rows)],
        chapters=list(chapters(results)),
        not_known=NOT_KNOWN,
        repros=files,
        how_to_read=_parts(HOW_TO_READ),
        upgrade_notes=list(upgrade_notes(results.upgrade)),
        meanings=meanings(results.upgrade),
        costs=[(mark, plain_text(row.name), row.cost) for mark, row in costs(results.upgrade)],
        excuses=_excuses(results),
        findings=results.findings,
        assessment=results.assessment,
        verdict=verdict(results.assessment),
        comparisons=[
            (
                COMPARED[name],
                MEANS[name],
                comparison.old,
                comparison.new,
                totals(comparison),
                *_told(comparison),
            )
            for name, comparison in results.comparisons.items()
        ],
        columns=columns,
        plots=plots(results),
        charts=[
            (chart, draw(chart), [[plain_text(cell) for cell in row] for row in chart.table.rows])
            for topic in TOPICS
            for chart in topic.draw(results.matrix, results.findings.topics[topic.name])
            if chart.labels
        ],
        outcomes=[(each.value, MEANINGS[each], counts[each]) for each in Outcome],
        devices=sorted({build.id.device for build in run.builds}),
        subjects=list(dict.fromkeys(cell.subject for cell in run.cells)),
        paths=_paths(run.cells),
        newest=max((source.started for source in run.sources), default="")[:_DATE],
        static=STATIC,
    )


# Of what alarms all is told at once; the rest has a command.
_MOST_GROUPS = 30


def _told(comparison: Comparison) -> tuple[list[tuple[str, str, list[CellId]]], int]:
    """Of each group that is worth a line its change, what it says and its cells; how many more."""
    groups = [group for group in comparison.groups if group.change is not Change.UNKNOWN]
    shown = [group for group in groups if group.alarms][: 2 * _MOST_GROUPS]
    shown += [group for group in groups if not group.alarms][:_MOST_GROUPS]
    told = [(group.change.value, title(group), group.cells) for group in shown]
    return told, len(groups) - len(shown)


def _excuses(results: Results) -> list[tuple[str, str, str, str, list[CellId]]]:
    """Of each: how ready, what is so, why, the command that repeats it, and cells that say so."""
    found = []
    for excuse in results.excuses:
        head, _, rest = sentence(excuse).partition(": ")
        told = "; ".join(f"{number} × {reason}" for reason, number in reasons(excuse))
        why = f"{rest} {told}".strip()
        command = excuse_command(excuse, results.run)
        found.append((excuse.ready.name.lower(), head, why, command, list(excuse.cells)))
    return found


def _parts(text: Text) -> list[tuple[str, str]]:
    """Each part of a text with the element that it is shown as."""
    parts = text if isinstance(text, tuple) else (text,)
    elements = {Code: "code", Strong: "strong"}
    return [
        ("span", part) if isinstance(part, str) else (elements.get(type(part), "span"), part.text)
        for part in parts
    ]


def _shown(value: Any) -> Any:
    """What the template prints: text without characters that play tricks."""
    return spelled(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _quoted(text: str) -> str:
    """``text`` as the value of a permalink."""
    return quote(spelled(text), safe="[]@:,/ ".strip())


def _paths(cells: Iterable[Cell]) -> list[str]:
    return list(dict.fromkeys(cell.params["path"] for cell in cells if "path" in cell.params))


@dataclass(frozen=True, kw_only=True)
class Marks:
    """What of a cell a filter asks for, beside how it ended.

    Attributes:
        new: Cells that turn the run red.
        changed: Those of which an answer is another one than in the run before or on the release
            that it is compared with.
    """

    new: frozenset[CellId]
    changed: frozenset[CellId]


def _marks(results: Results) -> Marks:
    return Marks(
        new=frozenset(results.findings.unexpected),
        changed=frozenset(
            cell
            for comparison in results.comparisons.values()
            for group in comparison.groups
            if group.change is not Change.UNKNOWN
            for cell in group.cells
        ),
    )


def _matrix(results: Results, columns: Sequence[Column], probes: Sequence[Probe]) -> JSON:
    """What the first view is made of: one letter a cell, and a note where one is due."""
    run, marks = results.run, _marks(results)
    notes: dict[str, int] = {}
    return {
        "letters": {LETTERS[outcome]: outcome.value for outcome in Outcome},
        "meanings": {outcome.value: MEANINGS[outcome] for outcome in Outcome},
        "columns": [
            {
                "build": column.build.id.name_and_python,
                "device": column.build.id.device,
                "channel": column.build.channel,
                "version": column.build.version,
                "date": column.last,
            }
            for column in columns
        ],
        "sources": [_source(source) for source in run.sources],
        "probes": [
            {
                "name": probe.name,
                "question": run.descriptions.get(probe.name, ""),
                "checks": [_check(row, notes, marks) for row in probe.rows],
            }
            for probe in probes
        ],
        "notes": list(notes),
    }


def _source(source: Source) -> JSON:
    return {
        "id": source.id,
        "started": source.started,
        "commit": source.harness.commit,
        "host": f"{source.host.system}, {source.host.cpu}, {source.host.cores} cores",
    }


def _check(row: Sequence[Cell | None], notes: dict[str, int], marks: Marks) -> JSON:
    """Its id, subject and values of parameters, its letters, its notes' numbers by column.

    Then the columns in which it is flaky, a new failure, or answers otherwise than before.
    """
    cells = {number: cell for number, cell in enumerate(row) if cell is not None}
    some = next(iter(cells.values()))
    noted = {}
    for number, cell in cells.items():
        if note := (cell.signature or cell.reason)[:_LONGEST_NOTE]:
            noted[number] = notes.setdefault(note, len(notes))
    return [
        named(some.check, some.subject),
        some.subject,
        list(some.params.values()),
        "".join("." if cell is None else LETTERS[cell.outcome] for cell in row),
        noted,
        [number for number, cell in cells.items() if cell.flaky],
        [number for number, cell in cells.items() if cell.id in marks.new],
        [number for number, cell in cells.items() if cell.id in marks.changed],
    ]


def _detail(
    cell: Cell,
    commands: Mapping[CellId, str],
    explained: Mapping[CellId, str],
    files: Mapping[CellId, str],
) -> Mapping[str, JSON]:
    """All that is known of a cell; what is empty is left out."""
    first = cell.first
    known = {
        "params": dict(cell.params),
        "reason": cell.reason,
        "signature": cell.signature,
        "message": cell.message,
        "duration_s": cell.duration_s,
        "compile_s": cell.compile_s,
        "record": {
            name: value for each in (cell.record or {}).values() for name, value in each.items()
        },
        "first": f"{first.outcome.value}: {first.signature or first.reason}"
        if cell.flaky and first
        else "",
        "seen_in": cell.seen_in,
        "command": commands[cell.id],
        "file": files.get(cell.id, ""),
        "repro": repro_command(cell),
        "expected": explained.get(cell.id, "no" if cell.outcome.bad else ""),
    }
    return {name: value for name, value in known.items() if value}


def _changes(results: Results) -> JSON:
    """By two builds of one device and Python: what ``compat compare`` says first, and the rows.

    A row is an answer in which the newer build differs: the change, the check, the answer's name
    and what both builds say, as numbers of texts, since few of these are new.
    """
    texts: dict[str, int] = {}
    columns = {entry.column.build: entry.column for entry in results.entries}
    builds = sorted(columns, key=lambda build: columns[build].order)
    told = {}
    for old, new in combinations(builds, 2):
        if old.line != new.line or not (comparison := results.between(old, new)):
            continue
        told[f"{old}..{new}"] = {
            "said": [f"{totals(comparison)}.", *notes(comparison)],
            "rows": [
                [texts.setdefault(text, len(texts)) for text in _row(each)]
                for group in comparison.groups
                if group.change is not Change.UNKNOWN
                for each in group.differences
            ],
        }
    return {"texts": list(texts), "pairs": told}


def _row(difference: Difference) -> tuple[str, ...]:
    return (
        difference.change.value,
        named(difference.answer.check, difference.new.subject),
        difference.answer.name,
        value_text(difference.scale, difference.before),
        value_text(difference.scale, difference.after),
    )


def _write(folder: Path, name: str, data: JSON) -> None:
    """A script that hands JSON over as text: parsed, never run, and no key of it is special."""
    text = json.dumps(_spelled(data), separators=(",", ":")).replace("<", "\\u003c")
    quoted = text.replace("\\", "\\\\").replace("'", "\\'")
    (folder / f"{name}.js").write_text(f"compat({name!r}, '{quoted}');\n", encoding="utf-8")


def _spelled(data: JSON) -> JSON:
    if isinstance(data, str):
        return spelled(data)
    if isinstance(data, Mapping):
        return {spelled(str(key)): _spelled(value) for key, value in data.items()}
    return [_spelled(each) for each in data] if isinstance(data, list | tuple) else data
