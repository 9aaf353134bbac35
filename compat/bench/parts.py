"""Where the time of a run goes, from importing torch down to the parts of a compilation."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields

from tabulate import tabulate

from compat.runs.contents import Reported, Spent, read_contents
from compat.runs.store import RunFolder

_NAMES = {
    "dynamo": "cells: Dynamo",
    "aot_autograd": "cells: AOTAutograd",
    "inductor": "cells: Inductor's Python",
    "compiler": "cells: g++, linking included",
    "loading": "cells: loading what was made",
}
_REST = "cells: all else (pytest, running, comparing, processes of their own)"
_FORKS = "between cells: starting and ending their processes"
_GARBAGE = "of the cells' time: collecting garbage"


def parts(folder: RunFolder, jobs: int) -> dict[str, float]:
    """Seconds of a run by part, added up over its builds and over cells side by side.

    Args:
        folder: The run, none of whose cells was known before.
        jobs: How many cells ran side by side.
    """
    found: dict[str, float] = {}
    for stream in folder.streams():
        contents = read_contents(stream)
        phases = {phase.name: phase.seconds for phase in contents.phases}
        # What stands still while a core is free counts as time, as a cell's waiting does.
        probing = phases.pop("probe", 0.0) * jobs
        lasted = sum(cell.duration_s for cell in contents.cells.values())
        of_cells = _of_cells(contents.cells.values())
        named = sum(of_cells[name] for name in _NAMES.values())
        of_build = phases | of_cells
        of_build[_REST] = max(0.0, lasted - named)
        of_build[_FORKS] = max(0.0, probing - lasted)
        for name, seconds in of_build.items():
            found[name] = found.get(name, 0.0) + seconds
    return found


def _of_cells(cells: Iterable[Reported]) -> dict[str, float]:
    spent = [cell.spent for cell in cells if cell.spent is not None]
    names = _NAMES | {"garbage": _GARBAGE}
    return {
        names[part.name]: sum(getattr(each, part.name) for each in spent) for part in fields(Spent)
    }


def parts_text(seconds: dict[str, float]) -> str:
    """The parts as a table, the largest first; what is counted twice comes last, with no share."""
    whole = sum(each for name, each in seconds.items() if name != _GARBAGE)
    rows = [
        [name, f"{each:.1f}", "" if name == _GARBAGE else f"{each / whole:.0%}" if whole else ""]
        for name, each in sorted(
            seconds.items(), key=lambda item: (item[0] == _GARBAGE, -item[1], item[0])
        )
    ]
    return tabulate(rows, headers=["part", "seconds", "share"], tablefmt="github")
