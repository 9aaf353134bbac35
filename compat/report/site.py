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
from pathlib import Path
from typing import Any
from urllib.parse import quote

import jinja2

from compat.findings.lookup import is_on
from compat.findings.model import Findings
from compat.report.charts import charts
from compat.report.escape import spelled
from compat.report.markdown import MEANINGS
from compat.report.repeat import repeat_command
from compat.runs.history import LETTERS, History
from compat.runs.model import JSON, Build, Cell, Outcome, Run, Source

STATIC = ("style.css", "data.js", "state.js", "matrix.js", "history.js", "cell.js", "page.js")
_LONGEST_NOTE = 200
_DATE = len("2026-11-22")


def write_site(run: Run, findings: Findings, history: History, folder: Path) -> None:
    """``folder/index.html`` with all it needs beside it; what was in ``folder`` is replaced."""
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "cells").mkdir(parents=True)
    page = resources.files("compat.report").joinpath("page")
    for name in STATIC:
        (folder / name).write_text(page.joinpath(name).read_text("utf-8"), encoding="utf-8")
    columns = [_column(run, build) for build in run.builds]
    index = page.joinpath("index.html.jinja").read_text("utf-8")
    (folder / "index.html").write_text(_index(index, run, findings, columns), encoding="utf-8")
    probes = _probes(run)
    _write(folder, "matrix-data", _matrix(run, columns, probes))
    for number, probe in enumerate(probes):
        _write(folder, f"cells/{number}", [_details(run, row) for row in probe.rows])
    _write(folder, "history-data", _history(history))


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


def _column(run: Run, build: Build) -> Column:
    started = {source.id: source.started[:_DATE] for source in run.sources}
    dates = {
        started[cell.seen_in]
        for cell in run.cells
        if is_on(cell, build) and cell.seen_in in started
    }
    return Column(build=build, first=min(dates, default=""), last=max(dates, default=""))


def _probes(run: Run) -> list[Probe]:
    """In the order in which the run names them."""
    found: dict[str, dict[str, dict[tuple[str, str], Cell]]] = {}
    for cell in run.cells:
        checks = found.setdefault(cell.probe, {})
        checks.setdefault(cell.check, {})[cell.build, cell.device] = cell
    return [
        Probe(
            name=name,
            rows=[
                [seen.get((build.id, build.device.kind)) for build in run.builds]
                for seen in checks.values()
            ],
        )
        for name, checks in found.items()
    ]


def _index(template: str, run: Run, findings: Findings, columns: Sequence[Column]) -> str:
    environment = jinja2.Environment(
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        finalize=_shown,
    )
    environment.filters["quote"] = _quoted
    counts = Counter(cell.outcome for cell in run.cells)
    return environment.from_string(template).render(
        run=run,
        findings=findings,
        columns=columns,
        cells={cell.id for cell in run.cells},
        charts=charts(run, findings),
        outcomes=[(each.value, MEANINGS[each], counts[each]) for each in Outcome],
        devices=sorted({build.device.kind for build in run.builds}),
        paths=_paths(run.cells),
        newest=max((source.started for source in run.sources), default="")[:_DATE],
        static=STATIC,
    )


def _shown(value: Any) -> Any:
    """What the template prints: text without characters that play tricks."""
    return spelled(value) if type(value) is str else value


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
                "build": column.build.id,
                "device": column.build.device.kind,
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


def _details(run: Run, row: Sequence[Cell | None]) -> JSON:
    """All that is known of each cell of a check; what is empty is left out."""
    return [None if cell is None else _detail(run, cell) for cell in row]


def _detail(run: Run, cell: Cell) -> Mapping[str, JSON]:
    first = cell.first
    known = {
        "params": dict(cell.params),
        "reason": cell.reason,
        "signature": cell.signature,
        "message": cell.message,
        "duration_s": cell.duration_s,
        "compile_s": cell.compile_s,
        "metrics": dict(cell.metrics),
        "first": f"{first.outcome.value}: {first.signature or first.reason}"
        if cell.flaky and first
        else "",
        "seen_in": cell.seen_in,
        "command": repeat_command(cell, run.builds),
    }
    return {name: value for name, value in known.items() if value}


def _history(history: History) -> JSON:
    """Letters by check; each signature once, and where it was seen: check, column, signature."""
    numbers: dict[str, int] = {}
    checks = {check: number for number, check in enumerate(history.outcomes)}
    seen = [
        [checks[check], int(column), numbers.setdefault(signature, len(numbers))]
        for check, signatures in history.signatures.items()
        for column, signature in signatures.items()
    ]
    return {
        "columns": [
            {
                "run": column.run,
                "date": column.date[:_DATE],
                "build": column.build,
                "device": column.device,
                "version": column.version,
                "channel": column.channel,
                "git": column.git_version,
            }
            for column in history.columns
        ],
        "checks": list(history.outcomes.items()),
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
