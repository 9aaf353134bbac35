"""Where the same torch does something else on another device."""

from __future__ import annotations

from packaging.version import InvalidVersion, Version

from compat.findings.answers import answer_of
from compat.findings.lookup import is_on
from compat.findings.model import DeviceDifference
from compat.runs.model import Build, Outcome, Run, Status

# Nothing was asked, so there is nothing to compare.
_SILENT = frozenset({Outcome.NOT_RUN, Outcome.SKIP})


def find_device_differences(run: Run) -> list[DeviceDifference]:
    """The checks that end otherwise, or answer otherwise, than on a CPU with the same torch."""
    groups: dict[tuple[str, str, str], list[tuple[str, str, str]]] = {}
    for build in run.builds:
        twin = _twin(run, build)
        if twin is None:
            continue
        on_cpu = {cell.check: cell for cell in run.cells if is_on(cell, twin)}
        for cell in run.cells:
            other = on_cpu.get(cell.check)
            if other is None or not is_on(cell, build) or {cell.outcome, other.outcome} & _SILENT:
                continue
            answers = (cell.check, answer_of(other), answer_of(cell))
            if answers[1] != answers[2]:
                groups.setdefault(answers, []).append((build.label, other.id, cell.id))
    return [
        DeviceDifference(
            check=check,
            cpu=cpu,
            cuda=cuda,
            builds=tuple(label for label, _, _ in seen),
            cells=tuple(cell for _, *both in seen for cell in both),
        )
        for (check, cpu, cuda), seen in groups.items()
    ]


def _twin(run: Run, build: Build) -> Build | None:
    """The build on a CPU with the torch of one on a GPU; of several, the first."""
    if build.device.kind == "cpu" or build.status is not Status.OK:
        return None
    return next(
        (
            other
            for other in run.builds
            if other.device.kind == "cpu"
            and other.status is Status.OK
            and _release(other) == _release(build)
        ),
        None,
    )


def _release(build: Build) -> str:
    try:
        return str(Version(build.version).public)
    except InvalidVersion:
        return build.id
