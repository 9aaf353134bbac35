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
from compat.document.parts import Text
from compat.findings.changes import Comparison, Pair, differing
from compat.findings.results import Results
from compat.report.comparison import title, totals
from compat.report.drawing import draw
from compat.report.first import COMPARED
from compat.report.repeat import repeat_commands
from compat.report.verdict import verdict
from compat.report.words import MEANINGS, value_text
from compat.runs.answers import Change
from compat.runs.history import LETTERS, History, to_file
from compat.runs.ids import BUILTIN, BuildId, CellId
from compat.runs.model import JSON, Build, Cell, Outcome, Run, Source
from compat.topics.registry import TOPICS

STATIC = ("style.css", "data.js", "state.js", "matrix.js", "history.js", "cell.js", "page.js")
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
    commands = repeat_commands(run)
    index = page.joinpath("index.html.jinja").read_text("utf-8")
    (folder / "index.html").write_text(_index(index, results, columns), encoding="utf-8")
    _write(folder, "matrix-data", _matrix(run, columns, probes))
    for number, probe in enumerate(probes):
        details = [[cell and _detail(cell, commands) for cell in row] for row in probe.rows]
        _write(folder, f"cells/{number}", details)
    _write(folder, "history-data", _history(results.history))
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
        check = cell.check if cell.subject == BUILTIN else f"{cell.subject}:{cell.check}"
        checks = found.setdefault(cell.probe, {})
        checks.setdefault(check, {})[cell.build] = cell
    return [
        Probe(
            name=name,
            rows=[[seen.get(build.id) for build in run.builds] for seen in checks.values()],
        )
        for name, checks in found.items()
    ]


def _index(template: str, results: Results, columns: Sequence[Column]) -> str:
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
    return environment.from_string(template).render(
        run=run,
        findings=results.findings,
        assessment=results.assessment,
        verdict=verdict(results.assessment),
        comparisons=[
            (
                COMPARED[name],
                comparison.old,
                comparison.new,
                totals(comparison),
                *_told(comparison),
            )
            for name, comparison in results.comparisons.items()
        ],
        columns=columns,
        charts=[
            (chart, draw(chart), [[_plain(cell) for cell in row] for row in chart.table.rows])
            for topic in TOPICS
            for chart in topic.draw(results.matrix, results.findings.topics[topic.name])
            if chart.labels
        ],
        outcomes=[(each.value, MEANINGS[each], counts[each]) for each in Outcome],
        devices=sorted({build.id.device for build in run.builds}),
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


def _plain(text: Text) -> str:
    parts = text if isinstance(text, tuple) else (text,)
    return "".join(part if isinstance(part, str) else part.text for part in parts)


def _shown(value: Any) -> Any:
    """What the template prints: text without characters that play tricks."""
    return spelled(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _quoted(text: str) -> str:
    """``text`` as the value of a permalink."""
    return quote(spelled(text), safe="[]@:,/ ".strip())


def _paths(cells: Iterable[Cell]) -> list[str]:
    return list(dict.fromkeys(cell.params["path"] for cell in cells if "path" in cell.params))


def _matrix(run: Run, columns: Sequence[Column], probes: Sequence[Probe]) -> JSON:
    """What the first view is made of: one letter a cell, and a note where one is due."""
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
                "checks": [_check(row, notes) for row in probe.rows],
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


def _check(row: Sequence[Cell | None], notes: dict[str, int]) -> JSON:
    """Its id, its parameters' values, the letters, and the numbers of its notes by column."""
    some = next(cell for cell in row if cell is not None)
    noted = {}
    for number, cell in enumerate(row):
        note = (cell.signature or cell.reason)[:_LONGEST_NOTE] if cell else ""
        if note:
            noted[number] = notes.setdefault(note, len(notes))
    letters = "".join("." if cell is None else LETTERS[cell.outcome] for cell in row)
    flaky = [number for number, cell in enumerate(row) if cell is not None and cell.flaky]
    return [some.check, list(some.params.values()), letters, noted, flaky]


def _detail(cell: Cell, commands: Mapping[CellId, str]) -> Mapping[str, JSON]:
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
    }
    return {name: value for name, value in known.items() if value}


def _changes(results: Results) -> JSON:
    """By two builds of one subject, device and Python: the answers in which the newer one differs.

    Each as the change, the check, the answer's name and what both builds say.
    """
    entries = sorted(results.entries, key=lambda entry: entry.column.order)
    pairs = [
        Pair(old=old, new=new)
        for old, new in combinations(entries, 2)
        if old.column.line == new.column.line
    ]
    return {
        f"{pair.old.column.build}..{pair.new.column.build}": [
            [
                each.change.value,
                each.answer.check,
                each.answer.name,
                value_text(each.scale, each.before),
                value_text(each.scale, each.after),
            ]
            for each in differing(pair)
        ]
        for pair in pairs
        if pair.new.column.subject == BUILTIN
    }


def _history(history: History) -> JSON:
    """Letters by check; each signature once, and where it was seen: check, column, signature."""
    data = to_file(history)
    numbers: dict[str, int] = {}
    checks = {check: number for number, check in enumerate(data["outcomes"])}
    seen = [
        [checks[check], int(column), numbers.setdefault(signature, len(numbers))]
        for check, signatures in data["signatures"].items()
        for column, signature in signatures.items()
    ]
    return {
        "columns": [
            {
                "run": column.run,
                "date": column.date[:_DATE],
                "build": column.build.name_and_python,
                "device": column.build.device,
                "version": column.version,
                "channel": column.channel,
                "git": column.git_version,
            }
            for column in history.columns
        ],
        "checks": list(data["outcomes"].items()),
        "signatures": list(numbers),
        "seen": seen,
    }


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
