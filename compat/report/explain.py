"""Everything about one cell, for a terminal."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from itertools import groupby
from shlex import quote

from compat.document.escape import printed
from compat.errors import UsageError
from compat.findings.answers import said_by
from compat.findings.changes import value_in
from compat.findings.results import Results
from compat.report.attached import attached
from compat.report.comparison import moment
from compat.report.places import REPROS
from compat.report.repeat import repeat_command
from compat.report.repro import repro_command
from compat.report.words import number_of, shortened, value_text
from compat.runs.answers import ENDING, OUTCOME, Scale, Value
from compat.runs.failures import signature_of_cell
from compat.runs.history import Column, Entry
from compat.runs.ids import BUILTIN, AnswerId, BuildId, CellId
from compat.runs.model import Build, Cell, Run
from compat.runs.reference import builds_named, is_version_of

_LONGEST = 200
# Of more than these one line each is told.
_MOST_CELLS = 16


def explain(name: str, results: Results) -> str:
    """What is known of a cell, or of all cells of a check or a probe, on some builds or on all.

    ``name`` is such as ``donation.copies``, ``donation.copies[donated]@2.13``, or a cell's id.

    Raises:
        UsageError: The run has no such cell.
    """
    run = results.run
    what, at, where = name.partition("@")
    builds = {build.id: build for build in run.builds}
    named = {build.id for build in _named(where, run)} if at else builds.keys()
    cells = [cell for cell in run.cells if cell.build in named and what in _names(cell)]
    if not cells:
        known = dict.fromkeys(each for cell in run.cells for each in (cell.id, *_names(cell)))
        close = get_close_matches(name, known, n=3, cutoff=0.4)
        there = ", ".join(build.label for build in run.builds)
        raise UsageError(
            f"{name!r}: expected a check or a probe, such as donation.copies[donated] or "
            f"donation.copies, alone or with @ and a build of the run, which has {there}; close to "
            f"it: {', '.join(close) or 'nothing'}"
        )
    parts = [f"{cells[0].probe}: {run.descriptions.get(cells[0].probe, '')}"]
    if len(cells) <= _MOST_CELLS:
        files = attached(results).names
        parts += ["\n".join(_lines(cell, builds, results, files)) for cell in cells]
    else:
        parts.append("\n".join(map(_in_one_line, cells)))
        parts.append(f"More about one of these: compat explain {quote(cells[0].id)}")
    return printed("\n\n".join(parts))


def _named(where: str, run: Run) -> list[Build]:
    """A build by its id; else those of a version or series on every device."""
    if exact := [build for build in run.builds if where == build.id]:
        return exact
    alike = [build for build in run.builds if is_version_of(build, where)]
    return list({build.id: build for build in [*builds_named(where, run), *alike]}.values())


def _in_one_line(cell: Cell) -> str:
    why = cell.signature or cell.reason
    return f"  {cell.id}: {cell.outcome.value}" + (f": {shortened(why, _LONGEST)}" if why else "")


def _names(cell: Cell) -> tuple[str, ...]:
    """What a cell goes by on its build: its check and its probe, with the subject that is not ours.

    What is asked of subjects alone needs no subject.
    """
    check = cell.id.removesuffix(f"@{cell.build}")
    probe = check.partition("[")[0]
    alone = (cell.check, cell.probe) if cell.subject != BUILTIN else ()
    return (check, probe, *alone)


def _lines(
    cell: Cell, builds: Mapping[BuildId, Build], results: Results, files: Mapping[CellId, str]
) -> Iterable[str]:
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
    if file := files.get(cell.id):
        yield f"  as a file:   reports/{REPROS}/{file}"
    if command := repro_command(cell):
        yield f"  hand it on:  {command}"


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
    return shortened(json.dumps(value, ensure_ascii=False), _LONGEST)


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
