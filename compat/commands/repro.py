"""``compat repro``: write a cell that went wrong as one file, and run it."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from shlex import join, quote

from compat.commands.alone import BROKEN, RIGHT, Limits, run_alone
from compat.commands.places import REPORTS
from compat.document.escape import printed
from compat.errors import EXPECTED, UNEXPECTED, UsageError
from compat.report.attached import file_name
from compat.report.places import LATEST_RUN
from compat.report.repeat import can_be_had, spec_of
from compat.report.repro import beside_of, can_be_made, repro_of
from compat.runs.durable import write_text
from compat.runs.model import Build, Cell, Outcome, Run
from compat.runs.reference import load_latest
from compat.runs.versions import version_order


def repro(parsed: argparse.Namespace) -> int:
    """0: the file is there, and with ``--run`` ended as it should on both builds."""
    run = load_latest(REPORTS / LATEST_RUN)
    cell = _named(run, parsed.cell)
    build = next(each for each in run.builds if each.id == cell.build)
    text = repro_of(cell, build)
    path = parsed.to / file_name(cell)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_text(path, text)
    ends = {spec_of(build): BROKEN}
    if twin := right_beside(run, cell, can_be_had):
        ends[spec_of(twin)] = RIGHT
    if parsed.run:
        print(printed(f"{path}:"))
        ended = run_alone(
            path, cell, ends, Limits(timeout_s=parsed.timeout, memory_gb=parsed.memory)
        )
        for each in ended:
            print(printed(f"  {each.text}"))
        if twin is None:
            print("  no build of the latest run is known on which the check passes")
        return EXPECTED if twin and all(each.as_expected for each in ended) else UNEXPECTED
    command = [
        *("compat", "run", "--alone", "--device", cell.build.device),
        *(("--python", cell.build.python) if cell.build.python else ()),
        *(("--beside", str(beside)) if (beside := beside_of(cell)) else ()),
        *("--builds", *ends),
    ]
    print(printed(f"{path}: exits with {BROKEN} on {spec_of(build)}"))
    print(printed(f"  {join(command)} -- python {quote(str(path))}"))
    return EXPECTED


def right_beside(run: Run, cell: Cell, usable: Callable[[Build], bool]) -> Build | None:
    """The newest build of the same device and Python where a check passes and nothing is wrong."""
    passed = {
        each.build
        for each in run.cells
        if (each.check, each.subject, each.outcome) == (cell.check, cell.subject, Outcome.PASS)
        and not can_be_made(each)
    }
    alike = [
        each
        for each in run.builds
        if each.id in passed and each.id.line == cell.build.line and usable(each)
    ]
    return max(alike, key=lambda each: version_order(each.version_text), default=None)


def _named(run: Run, name: str) -> Cell:
    found = next((cell for cell in run.cells if cell.id == name), None)
    if found is None:
        raise UsageError(
            f"{name!r}: expected the id of a cell of the latest run, such as "
            "corpus.right[rows-interleaved-standalone]@2.11.0-cpu"
        )
    return found
