"""Everything about one cell, for a terminal."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from itertools import groupby

from compat.document.escape import printed
from compat.errors import UsageError
from compat.findings.answers import OUTCOME, said_by
from compat.findings.changes import value_in
from compat.findings.results import Results
from compat.report.comparison import moment
from compat.report.repeat import repeat_command
from compat.report.words import number_of, value_text
from compat.runs.answers import ENDING, Scale, Value
from compat.runs.failures import signature_of_cell
from compat.runs.history import Column, Entry
from compat.runs.ids import AnswerId, BuildId
from compat.runs.model import Build, Cell

_LONGEST = 200


def explain(name: str, results: Results) -> str:
    """What is known of the cell ``name``, or of a check on all builds.

    Raises:
        UsageError: The run has no such cell.
    """
    run = results.run
    cells = [cell for cell in run.cells if name in _names(cell)]
    if not cells:
        known = dict.fromkeys(each for cell in run.cells for each in _names(cell))
        close = get_close_matches(name, known, n=3, cutoff=0.4)
        raise UsageError(
            f"{name!r}: expected a cell of the run, as probe[parameters]@build-device, or a check "
            f"without what comes from the @ on; close to it: {', '.join(close) or 'nothing'}"
        )
    builds = {build.id: build for build in run.builds}
    parts = [f"{cells[0].check}: {run.descriptions.get(cells[0].probe, '')}"]
    parts += ["\n".join(_lines(cell, builds, results)) for cell in cells]
    return printed("\n\n".join(parts))


def _names(cell: Cell) -> tuple[str, str]:
    """What a cell goes by: its id, and that without the build."""
    return (cell.id, cell.id.removesuffix(f"@{cell.build}"))


def _lines(cell: Cell, builds: Mapping[BuildId, Build], results: Results) -> Iterable[str]:
    yield f"{cell.id}: {cell.outcome.value}" + (", flaky" if cell.flaky else "")
    for name, value in _facts(cell, builds[cell.build], results).items():
        if value:
            yield f"  {name + ':':<12} {value}"
    line = results.history.of_line((cell.subject, *cell.build.line))
    alike = [entry for entry in line if entry.column.series == _series(cell, results)]
    yield from _over_time("outcome", AnswerId.of(cell.check, OUTCOME), ENDING, alike)
    record = results.matrix.on(cell.build, cell.subject)[cell.check].record
    for said in said_by(record):
        yield f"  answer:      {said.name}: {value_text(said.scale, said.value)}"
        yield from _over_time(said.name, AnswerId.of(cell.check, said.name), said.scale, alike)
    if cell.message:
        yield "  message:"
        yield from (f"    {line}" for line in cell.message.splitlines())
    yield f"  repeat it:   {repeat_command(cell, results.run)}"


def _series(cell: Cell, results: Results) -> tuple[str, ...]:
    columns = (entry.column for entry in results.entries)
    own = (each for each in columns if (each.build, each.subject) == (cell.build, cell.subject))
    return next((column.series for column in own), ())


def _facts(cell: Cell, build: Build, results: Results) -> dict[str, str]:
    findings = results.findings
    source = next((each for each in results.run.sources if each.id == cell.seen_in), None)
    expected = [each for each in findings.expectations if cell.id in each.cells]
    return {
        "reason": cell.reason,
        "signature": signature_of_cell(cell),
        "at first": f"{cell.first.outcome.value}: {cell.first.reason}" if cell.first else "",
        "expected": "; ".join(f"{each.reason} {each.link}" for each in expected),
        "control": findings.failed_controls.get(cell.id, ""),
        "record": findings.unfit.get(cell.id, ""),
        "parameters": ", ".join(f"{name} {value}" for name, value in cell.params.items()),
        "recorded": _recorded(cell),
        "took": f"{cell.duration_s:.1f} s" if cell.duration_s else "",
        "torch": " ".join(filter(None, [build.version, build.channel, build.git_version])),
        "wheel": f"{build.wheel.filename} {build.wheel.sha256}" if build.wheel else "",
        "with": ", ".join(
            f"{name} {value}"
            for name, value in (("Triton", build.triton), ("Python", build.python))
            if value
        ),
        "compiler": build.compiler,
        "device": " ".join(
            filter(None, [build.device.kind, build.device.name, build.device.driver])
        ),
        "host": f"{source.host.system}, {source.host.cpu}, {source.host.cores} cores"
        if source
        else "",
        "seen in": f"{source.id}, by {source.harness.commit}" if source else "",
    }


def _recorded(cell: Cell) -> str:
    fields = [item for record in (cell.record or {}).values() for item in record.items()]
    return ", ".join(f"{name} {_short(value)}" for name, value in fields)


def _short(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def _over_time(what: str, name: AnswerId, scale: Scale, entries: Sequence[Entry]) -> Iterable[str]:
    """The stretches in which it said the same, in builds of the same series."""
    said = [(entry.column, value_in(entry, name)) for entry in entries]
    known = [(column, value) for column, value in said if value is not None]
    for value, group in groupby(known, key=lambda each: each[1]):
        yield _stretch(what, scale, value, [column for column, _ in group])


def _stretch(what: str, scale: Scale, value: Value, columns: Sequence[Column]) -> str:
    until = f" to {moment(columns[-1])}" if len(columns) > 1 else ""
    runs = number_of(len(columns), "run")
    return (
        f"  over time:   {what} {value_text(scale, value)} on {moment(columns[0])}{until}, {runs}"
    )
