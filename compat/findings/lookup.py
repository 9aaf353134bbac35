"""Ways to look cells up that several findings need."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from compat.runs.model import Build, Cell, Outcome, Run


def is_on(cell: Cell, build: Build) -> bool:
    """Whether ``cell`` was run on ``build``, device included."""
    return (cell.build, cell.device) == (build.id, build.device.kind)


def cells_of(run: Run, build: Build, probe: str, **params: str) -> list[Cell]:
    """The cells of ``probe`` on ``build`` whose parameters include ``params``."""
    return [
        cell
        for cell in run.cells
        if is_on(cell, build) and cell.probe == probe and params.items() <= cell.params.items()
    ]


def metric(cells: Iterable[Cell], name: str) -> Any | None:
    """What the first of ``cells`` that recorded ``name`` recorded; None where none did."""
    return next((cell.metrics[name] for cell in cells if name in cell.metrics), None)


def all_passed(cells: Iterable[Cell]) -> bool | None:
    """Whether all ``cells`` passed: False as soon as one failed, None where that is unknown."""
    outcomes = {cell.outcome for cell in cells} - {Outcome.UNSUPPORTED}
    if outcomes & {Outcome.FAIL, Outcome.ERROR, Outcome.CRASH, Outcome.TIMEOUT}:
        return False
    return True if outcomes == {Outcome.PASS} else None
