"""The one command that repeats what was seen."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from shlex import quote

from compat.runs.model import SAVED_BY, Build, Cell, Run


def repeat_command(cell: Cell, builds: Sequence[Build]) -> str:
    """The command that repeats one cell; ``builds`` are those of its run."""
    names = (cell.build, cell.params.get(SAVED_BY))
    needed = [each for each in builds if each.id in names and each.device.kind == cell.device]
    return f"{_matrix(needed, cell.device)} --depth full --fresh --probes {quote(cell.check)}"


def repeat_commands(run: Run) -> dict[str, str]:
    """The command for each cell, by its id, and for each build as a whole."""
    return {
        **{
            f"build {build.label}": f"{_matrix([build], build.device.kind)} --fresh"
            for build in run.builds
        },
        **{cell.id: repeat_command(cell, run.builds) for cell in run.cells},
    }


def _matrix(builds: Iterable[Build], device: str) -> str:
    specs = dict.fromkeys(map(_spec, builds))
    pythons = dict.fromkeys(filter(None, map(_python, builds)))
    under = f" --python {' '.join(pythons)}" if pythons else ""
    return f"nox -s matrix -- --builds {' '.join(map(quote, specs))}{under} --device {device}"


def _spec(build: Build) -> str:
    """What names the very same build again; as it was asked for, where none was found."""
    if build.channel in {"", "local"}:
        return build.requested
    return f"=={build.id.partition('-py')[0]}"


def _python(build: Build) -> str:
    """The Python that a build runs under, where that is not the project's own."""
    return "" if build.channel == "local" else build.id.partition("-py")[2]
