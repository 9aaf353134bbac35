"""From a run, and what is expected of it, to its findings; nothing else goes in."""

from __future__ import annotations

from collections.abc import Container

from compat.findings.artifacts import say_artifacts
from compat.findings.devices import find_device_differences
from compat.findings.donation import say_copies, say_cost, say_donor
from compat.findings.drift import find_drift, say_drift
from compat.findings.expectations import (
    NONE,
    Expectations,
    find_expectations,
    find_failed_controls,
)
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
from compat.runs.failures import BAD
from compat.runs.model import Build, Outcome, Run, Status


def derive(run: Run, expectations: Expectations = NONE) -> Findings:
    """Everything that follows from ``run``."""
    entries = find_expectations(run, expectations)
    expected = {cell for entry in entries for cell in entry.cells}
    failed_controls = find_failed_controls(run, expectations)
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
        expectations=tuple(entries),
        expected=tuple(cell.id for cell in run.cells if cell.id in expected),
        failed_controls=failed_controls,
        unexpected=_unexpected(run, expected, failed_controls),
    )


def _unexpected(
    run: Run, expected: Container[str], failed_controls: Container[str]
) -> tuple[str, ...]:
    """What turns a run red: bad cells, builds that broke, and a run that saw nothing at all.

    So do a cell that could not be run in a build that was, and a control that failed. A build that
    no index could give is not among them: nothing was seen of it, good or bad.
    """
    broken = [f"build {build.label}" for build in run.builds if build.status is Status.BROKEN]
    ran = {(build.id, build.device.kind) for build in run.builds if build.status is Status.OK}
    cells = [
        cell.id
        for cell in run.cells
        if cell.id not in expected
        and (
            cell.outcome in BAD
            or cell.id in failed_controls
            or (cell.outcome is Outcome.NOT_RUN and (cell.build, cell.device) in ran)
        )
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
