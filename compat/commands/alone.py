"""Whether a file that shows a failure does so: it runs alone on builds, one after the other."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.console import Console

from compat.builds.config import DEFAULT_FILE
from compat.builds.resolve import Resolution
from compat.builds.spec import OWN_PYTHON
from compat.commands.builds import resolved
from compat.commands.places import home_for_builds
from compat.report.repro import beside_of
from compat.running.host import compiler
from compat.running.pipeline import probe_builds
from compat.running.progress import LiveProgress
from compat.running.settings import Settings
from compat.runs.ids import BuildId
from compat.runs.model import DEFAULT, Cell, Outcome
from compat.runs.store import merge
from compat.subjects.suite import suite_of
from compat.worker.command import CANNOT_TELL, signature_of_status

# What such a file ends with.
BROKEN, RIGHT = 1, 0
_MEANS = {BROKEN: "broken", RIGHT: "right", CANNOT_TELL: "it cannot tell"}


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What a file may take; see :class:`compat.running.settings.Settings`."""

    timeout_s: float
    memory_gb: float


@dataclass(frozen=True, kw_only=True)
class Ended:
    """How a file ended on a build, and whether it was to end so."""

    as_expected: bool
    text: str


def run_alone(file: Path, cell: Cell, expected: Mapping[str, int], limits: Limits) -> list[Ended]:
    """Run a file on builds, as ``compat run --alone`` does; nothing of it is kept.

    Args:
        file: A Python program.
        cell: What it was made of: on its device and Python the builds are, and what the file needs
            beside PyTorch is put beside them.
        expected: By the spec of a build: the status with which it is to end there.
        limits: What it may take.

    Raises:
        CommandError: A spec is none, or another run is going on.
    """
    compiler()
    build = cell.build
    brought = replace(suite_of(file, ()), beside=beside_of(cell))
    settings = Settings(
        device=build.device,
        probes=(),
        depth=DEFAULT,
        jobs=1,
        timeout_s=limits.timeout_s,
        memory_gb=limits.memory_gb,
        fresh=True,
        home=home_for_builds(),
        subjects=(),
        suites=(brought,),
        foreseen=lambda cell, _: cell.outcome is Outcome.FAIL,
    )
    resolutions = {spec: _resolved(spec, build) for spec in expected}
    with TemporaryDirectory() as folder, LiveProgress(Console()) as progress:
        # Not among the runs that a report is made from.
        run = merge([probe_builds([*resolutions.values()], settings, Path(folder), progress)])
    cells = {cell.build: cell for cell in run.cells}
    reasons = {each.id: each.reason for each in run.builds}
    reasons |= {each.build: each.reason for each in run.pairs if each.reason}
    ids = {spec: found.id(build.device) for spec, found in resolutions.items()}
    return [
        _ended(spec, status, cells.get(ids[spec]), reasons.get(ids[spec], ""))
        for spec, status in expected.items()
    ]


def _resolved(spec: str, build: BuildId) -> Resolution:
    asked = argparse.Namespace(
        builds=[spec], builds_file=DEFAULT_FILE, python=[build.python or OWN_PYTHON]
    )
    (found,) = resolved(asked, build.device)
    return found


def _ended(spec: str, expected: int, cell: Cell | None, reason: str) -> Ended:
    status = None if cell is None else _status(cell)
    if cell is None or status is None:
        said = f"{cell.outcome.value}: {cell.reason}" if cell else f"not run: {reason}"
        return Ended(as_expected=False, text=f"{spec}: {said}")
    wanted = "as it should" if status == expected else f"not with {expected}, {_MEANS[expected]}"
    said = f"{spec}: exits with {status}, {_MEANS[status]}: {wanted}"
    return Ended(as_expected=status == expected, text=said)


def _status(cell: Cell) -> int | None:
    """The exit status of the program that a cell is about; None if it is not one of the three."""
    match cell.outcome:
        case Outcome.PASS:
            return RIGHT
        case Outcome.SKIP:
            return CANNOT_TELL
        case Outcome.FAIL if cell.signature == signature_of_status(BROKEN):
            return BROKEN
    return None
