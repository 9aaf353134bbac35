"""A cell that went wrong as one file that needs torch alone, for whoever mends it."""

from __future__ import annotations

from collections.abc import Mapping
from shlex import quote

from compat.errors import UsageError
from compat.report.repro import (
    corpus,
    donation,
    failing,
    fakes,
    inputs,
    parity,
    training,
    workarounds,
)
from compat.report.repro.maker import Maker
from compat.runs.ids import BUILTIN
from compat.runs.model import Build, Cell

# By the probe whose cells it makes files of.
MAKERS: Mapping[str, Maker] = {
    "corpus.right": corpus.MAKER,
    "parity.outputs": parity.MAKER,
    "context_inputs.inputs": inputs.MAKER,
    "context_inputs.models": inputs.OF_MODELS,
    "cuda.fakes": fakes.MAKER,
    "training.step": training.MAKER,
    "donation.afterwards": donation.MAKER,
    "failing.compilation": failing.MAKER,
    "workarounds.needed": workarounds.MAKER,
}


def can_be_made(cell: Cell) -> bool:
    """Whether a file can be made that shows what is wrong with a cell."""
    return cell.subject == BUILTIN and cell.probe in MAKERS and MAKERS[cell.probe].makes(cell)


def repro_command(cell: Cell) -> str:
    """The command that makes the file; empty where none can be made."""
    return f"compat repro {quote(cell.id)}" if can_be_made(cell) else ""


def repro_of(cell: Cell, build: Build) -> str:
    """The Python file.

    Raises:
        UsageError: There is nothing wrong with the cell, or nothing that a file of torch alone
            shows.
    """
    if not can_be_made(cell):
        raise UsageError(
            f"{cell.id}: expected a cell of {', '.join(MAKERS)} that says what is wrong and that "
            "torch alone can show"
        )
    return MAKERS[cell.probe].write(cell, build)
