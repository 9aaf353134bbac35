"""From a run to its findings; nothing else goes in."""

from __future__ import annotations

from compat.findings.artifacts import say_artifacts
from compat.findings.devices import find_device_differences
from compat.findings.donation import say_copies, say_cost, say_donor
from compat.findings.drift import find_drift, say_drift
from compat.findings.gates import find_gates, say_gates
from compat.findings.inputs import say_inputs
from compat.findings.model import Findings, Sentence
from compat.findings.parity import count_paths, find_parity, say_parity
from compat.findings.surface import find_surface
from compat.findings.workarounds import (
    find_workarounds,
    say_fake_mode,
    say_workarounds,
)
from compat.runs.model import Build, Outcome, Run, Status

UNEXPECTED = frozenset({Outcome.FAIL, Outcome.ERROR, Outcome.CRASH, Outcome.TIMEOUT})


def derive(run: Run) -> Findings:
    """Everything that follows from ``run``."""
    gates = find_gates(run)
    workarounds = find_workarounds(run)
    parity = find_parity(run)
    drift = find_drift(run)
    return Findings(
        gates=tuple(gates),
        workarounds=tuple(workarounds),
        parity=tuple(parity),
        drift=tuple(drift),
        surface=tuple(find_surface(run)),
        devices=tuple(find_device_differences(run)),
        paths=count_paths(run),
        sentences=(
            *say_gates(run, gates),
            *say_copies(run),
            *say_cost(run),
            *say_donor(run),
            *say_workarounds(run, workarounds),
            *say_inputs(run),
            *say_fake_mode(run),
            *say_parity(run, parity),
            *say_drift(drift),
            *say_artifacts(run),
            *_say_skipped(run),
            *_say_missing(run),
        ),
        flaky=tuple(cell.id for cell in run.cells if cell.flaky),
        unexpected=_unexpected(run),
    )


def _unexpected(run: Run) -> tuple[str, ...]:
    """What turns a run red: bad cells, builds that broke, and a run that saw nothing at all.

    So does a cell that could not be run in a build that was. A build that no index could give is
    not among them: nothing was seen of it, good or bad.
    """
    broken = [f"build {build.label}" for build in run.builds if build.status is Status.BROKEN]
    ran = {(build.id, build.device.kind) for build in run.builds if build.status is Status.OK}
    cells = [
        cell.id
        for cell in run.cells
        if cell.outcome in UNEXPECTED
        or (cell.outcome is Outcome.NOT_RUN and (cell.build, cell.device) in ran)
    ]
    if not any(cell.outcome is Outcome.PASS for cell in run.cells):
        broken.append("the run: not one cell passed")
    return (*broken, *cells)


def _say_skipped(run: Run) -> list[Sentence]:
    """What could not be asked here, and why."""
    skipped: dict[str, list[str]] = {}
    for cell in run.cells:
        if cell.outcome is Outcome.SKIP:
            skipped.setdefault(cell.reason, []).append(cell.id)
    return [
        Sentence(title="not asked here", text=f"{reason}.", cells=tuple(cells))
        for reason, cells in skipped.items()
    ]


def _say_missing(run: Run) -> list[Sentence]:
    """Builds of which nothing is known, and why."""
    return [
        Sentence(
            title=f"{_names(build)}: {how}",
            text=f"{build.reason}.",
            cells=(),
        )
        for build in run.builds
        if (
            how := {
                Status.UNAVAILABLE: "not run",
                Status.BROKEN: "broken as a whole",
            }.get(build.status)
        )
    ]


def _names(build: Build) -> str:
    """Under what names a build was asked for, with the device where it is not the CPU."""
    names = ", ".join(build.aliases)
    return names if build.device.kind == "cpu" else f"{names} {build.device.kind}"
