"""Everything about one cell, for a terminal."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sized
from difflib import get_close_matches
from itertools import groupby

from compat.errors import UsageError
from compat.findings.lookup import is_on
from compat.findings.model import Findings
from compat.report.comparison import moment
from compat.report.escape import visible
from compat.report.repeat import repeat_command
from compat.runs.failures import signature_of_cell
from compat.runs.history import ABSENT, OUTCOMES, Column, History, column_of
from compat.runs.model import Build, Cell, Run

_LONGEST = 200


def explain(name: str, run: Run, findings: Findings, history: History) -> str:
    """What is known of the cell ``name``, or of a check on all builds.

    Raises:
        UsageError: The run has no such cell.
    """
    cells = [cell for cell in run.cells if name in (cell.id, cell.check)]
    if not cells:
        known = dict.fromkeys(each for cell in run.cells for each in (cell.id, cell.check))
        close = get_close_matches(name, known, n=3, cutoff=0.4)
        raise UsageError(
            f"{name!r}: expected a cell of the run, as probe[parameters]@build-device, or a check "
            f"without what comes from the @ on; close to it: {', '.join(close) or 'nothing'}"
        )
    parts = [f"{cells[0].check}: {run.descriptions.get(cells[0].probe, '')}"]
    for cell in cells:
        (build,) = (each for each in run.builds if is_on(cell, each))
        parts.append("\n".join(_lines(cell, build, run, findings, history)))
    return visible("\n\n".join(parts))


def _lines(
    cell: Cell, build: Build, run: Run, findings: Findings, history: History
) -> Iterable[str]:
    yield f"{cell.id}: {cell.outcome.value}" + (", flaky" if cell.flaky else "")
    for name, value in _facts(cell, build, run, findings).items():
        if value:
            yield f"  {name + ':':<12} {value}"
    yield from (f"  {line}" for line in _over_time(cell, column_of(run, build), history))
    if cell.message:
        yield "  message:"
        yield from (f"    {line}" for line in cell.message.splitlines())
    yield f"  repeat it:   {repeat_command(cell, run.builds)}"


def _facts(cell: Cell, build: Build, run: Run, findings: Findings) -> dict[str, str]:
    source = next((each for each in run.sources if each.id == cell.seen_in), None)
    expected = [each for each in findings.expectations if cell.id in each.cells]
    return {
        "reason": cell.reason,
        "signature": signature_of_cell(cell),
        "at first": f"{cell.first.outcome.value}: {cell.first.reason}" if cell.first else "",
        "expected": "; ".join(f"{each.reason} {each.link}" for each in expected),
        "control": findings.failed_controls.get(cell.id, ""),
        "parameters": ", ".join(f"{name} {value}" for name, value in cell.params.items()),
        "recorded": ", ".join(f"{name} {_short(value)}" for name, value in cell.metrics.items()),
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


def _short(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def _over_time(cell: Cell, column: Column, history: History) -> Iterable[str]:
    """The stretches in which it ended alike, in builds of the same series."""
    letters = history.outcomes.get(cell.check, "")
    seen = [
        (each, letter)
        for each, letter in zip(history.columns, letters, strict=False)
        if each.line == column.line and letter != ABSENT
    ]
    for letter, group in groupby(seen, key=lambda each: each[1]):
        columns = [each for each, _ in group]
        until = f" to {moment(columns[-1])}" if len(columns) > 1 else ""
        outcome = OUTCOMES[letter].value
        yield f"over time:   {outcome} in {moment(columns[0])}{until}, {_runs(columns)}"


def _runs(columns: Sized) -> str:
    return "1 run" if len(columns) == 1 else f"{len(columns)} runs"
