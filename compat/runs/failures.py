"""What a cell that ended badly goes by."""

from __future__ import annotations

from compat.runs.model import Cell, Outcome
from compat.runs.signature import normalise, without_measurements


def signature_of_cell(cell: Cell) -> str:
    """What a bad cell goes by: a crash and a hang raised nothing and have a signature all the same.

    Empty for any other cell.
    """
    if cell.outcome is Outcome.CRASH:
        return f"crash: {normalise(cell.reason)}"
    if cell.outcome is Outcome.TIMEOUT:
        return "timeout"
    # That of an older run may have figures in it.
    return without_measurements(cell.signature) if cell.outcome.bad else ""
