"""The one command that repeats what was seen."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from shlex import quote

from compat.runs.history import WHOLE
from compat.runs.ids import BuildId, CellId
from compat.runs.model import SAVED_BY, Build, Cell, Run


def repeat_command(cell: Cell, builds: Mapping[BuildId, Build]) -> str:
    """The command that repeats one cell; ``builds`` are those of its run."""
    needed = [cell.build]
    if saved_by := cell.params.get(SAVED_BY):
        needed += [
            each
            for each in builds
            if (each.name_and_python, each.device) == (saved_by, cell.build.device)
        ]
    specs = _matrix((builds[each] for each in needed if each in builds), cell.build.device)
    return f"{specs} --depth full --fresh --probes {quote(cell.check)}"


def repeat_commands(run: Run) -> dict[CellId, str]:
    """The command for each cell, and for each build as a whole."""
    builds = {build.id: build for build in run.builds}
    whole = {
        CellId.of(WHOLE, build.id): f"{_matrix([build], build.id.device)} --fresh"
        for build in run.builds
    }
    return whole | {cell.id: repeat_command(cell, builds) for cell in run.cells}


def _matrix(builds: Iterable[Build], device: str) -> str:
    builds = sorted(builds, key=lambda build: build.id)
    specs = dict.fromkeys(map(_spec, builds))
    pythons = dict.fromkeys(build.id.python for build in builds if build.id.python)
    under = f" --python {' '.join(pythons)}" if pythons else ""
    return f"nox -s matrix -- --builds {' '.join(map(quote, specs))}{under} --device {device}"


def _spec(build: Build) -> str:
    """What names the very same build again; as it was asked for, where none was found."""
    if build.channel in {"", "local"}:
        return build.requested
    return f"=={build.id.name}"
