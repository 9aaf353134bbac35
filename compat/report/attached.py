"""The files beside a report: one of each failure, which needs nothing of this project."""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from compat.findings.results import Results
from compat.report.failures import failures
from compat.report.repro import can_be_made, repro_of
from compat.runs.ids import CellId
from compat.runs.model import Build, Cell, Run
from compat.runs.versions import version_order

# What a job that publishes takes: so many files, of such names and sizes. Of its cell a file holds
# no more than one line, which is cut.
MOST = 100
LARGEST_B = 16 << 10
NAME = r"[A-Za-z0-9_][A-Za-z0-9._-]{0,119}\.py"
_ODD = re.compile(r"[^A-Za-z0-9._-]+")
_LONGEST = 120


@dataclass(frozen=True, kw_only=True)
class Attached:
    """Which files there are.

    Attributes:
        made_of: By a file's name: the cell that it is made of.
        names: By cell: the file of the failure that it is a part of.
    """

    made_of: Mapping[str, Cell]
    names: Mapping[CellId, str]


def attached(results: Results) -> Attached:
    """One file for each line of failures, what is new first, made of the newest build that has it.

    Of builds of one version that is the one on a CPU: anybody has one.
    """
    builds = {build.id: build for build in results.run.builds}

    def order(cell: Cell) -> tuple[object, bool]:
        build = builds[cell.build]
        return version_order(build.version_text), build.device.kind == "cpu"

    made_of: dict[str, Cell] = {}
    names: dict[CellId, str] = {}
    for failure in failures(results):
        newest = max(filter(can_be_made, failure.cells), key=order, default=None)
        # Two builds of somebody's own may be called alike but for what no name of a file has.
        if newest is None or len(made_of) == MOST or file_name(newest) in made_of:
            continue
        made_of[file_name(newest)] = newest
        names |= dict.fromkeys((cell.id for cell in failure.cells), file_name(newest))
    return Attached(made_of=made_of, names=names)


def file_name(cell: Cell) -> str:
    """What a cell's file is called: of plain characters, whatever the cell is called."""
    parts = (cell.probe, *cell.params.values(), cell.build)
    name = "-".join(_ODD.sub("-", part) for part in parts)
    return f"{name.lstrip('.-')[:_LONGEST]}.py"


def cells_by_name(run: Run) -> Mapping[str, Cell]:
    """By the name of a file: the cell of a run that it can be made of."""
    return {file_name(cell): cell for cell in reversed(run.cells) if can_be_made(cell)}


def write_repros(made_of: Mapping[str, Cell], run: Run, folder: Path) -> None:
    """Write files in the place of what is in ``folder``; without any there is no such folder."""
    shutil.rmtree(folder, ignore_errors=True)
    builds: dict[str, Build] = {build.id: build for build in run.builds}
    for name, cell in made_of.items():
        folder.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(repro_of(cell, builds[cell.build]), encoding="utf-8")
