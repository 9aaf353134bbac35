"""``compat repro``: write a cell that went wrong as a file that needs torch alone."""

from __future__ import annotations

import argparse
from shlex import join, quote

from compat.commands.places import REPORTS
from compat.document.escape import printed
from compat.errors import UsageError
from compat.report.places import LATEST_RUN
from compat.report.repeat import spec_of
from compat.report.repro import can_be_made, repro_of
from compat.runs.durable import write_text
from compat.runs.ids import CellId
from compat.runs.model import Build, Cell, Outcome, Run
from compat.runs.reference import load_latest
from compat.runs.versions import version_order


def repro(parsed: argparse.Namespace) -> int:
    run = load_latest(REPORTS / LATEST_RUN)
    cell = _named(run, parsed.cell)
    builds = {build.id: build for build in run.builds}
    text = repro_of(cell, builds[cell.build])
    path = parsed.to / f"{_file_name(cell.id)}.py"
    path.parent.mkdir(parents=True, exist_ok=True)
    write_text(path, text)
    specs = [spec_of(builds[cell.build])]
    if twin := _right(run, cell, builds[cell.build]):
        specs.append(spec_of(twin))
    device = builds[cell.build].device.kind
    command = join(["compat", "run", "--alone", "--device", device, "--builds", *specs])
    print(printed(f"{path}: exits with 1 on {specs[0]}"))
    print(printed(f"  {command} -- python {quote(str(path))}"))
    return 0


def _named(run: Run, name: str) -> Cell:
    found = next((cell for cell in run.cells if cell.id == name), None)
    if found is None:
        raise UsageError(
            f"{name!r}: expected the id of a cell of the latest run, such as "
            "corpus.right[rows-interleaved-standalone]@2.11.0-cpu"
        )
    return found


def _right(run: Run, cell: Cell, build: Build) -> Build | None:
    """The newest build of the same device on which the check passes and nothing is wrong."""
    passed = {
        each.build
        for each in run.cells
        if (each.check, each.subject, each.outcome) == (cell.check, cell.subject, Outcome.PASS)
        and not can_be_made(each)
    }
    alike = [
        each
        for each in run.builds
        if each.id in passed and each.device.kind == build.device.kind and each.wheel is not None
    ]
    return max(alike, key=lambda each: version_order(each.version_text), default=None)


def _file_name(cell: CellId) -> str:
    return "".join(c if c.isalnum() or c in ".-_" else "-" for c in cell).strip("-")
