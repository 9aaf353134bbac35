"""A cell that went wrong as one file that needs nothing of this project, for whoever mends it."""

from __future__ import annotations

from collections.abc import Mapping
from shlex import quote

from compat.errors import UsageError
from compat.report.repro import (
    corpus,
    donation,
    engine,
    failing,
    fakes,
    inputs,
    parity,
    training,
    vllm,
    workarounds,
)
from compat.report.repro.maker import Maker, beside_of
from compat.runs.model import Build, Cell

__all__ = ["MAKERS", "beside_of", "can_be_made", "repro_command", "repro_of"]

# By the probe whose cells it makes files of.
MAKERS: Mapping[str, Maker] = {
    "corpus.right": corpus.MAKER,
    "parity.outputs": parity.MAKER,
    "context_inputs.inputs": inputs.MAKER,
    "context_inputs.models": inputs.OF_MODELS,
    "cuda.fakes": fakes.MAKER,
    "subject.compiled": vllm.MAKER,
    "engine.says": engine.SPOKEN,
    "engine.agrees": engine.SPOKEN,
    "engine.restarts": engine.RESTARTED,
    "training.step": training.MAKER,
    "donation.afterwards": donation.MAKER,
    "failing.compilation": failing.MAKER,
    "workarounds.needed": workarounds.MAKER,
}


def can_be_made(cell: Cell) -> bool:
    """Whether a file can be made that shows what is wrong with a cell."""
    return cell.probe in MAKERS and MAKERS[cell.probe].makes(cell)


def repro_command(cell: Cell) -> str:
    """The command that makes the file; empty where none can be made."""
    return f"compat repro {quote(cell.id)}" if can_be_made(cell) else ""


def repro_of(cell: Cell, build: Build) -> str:
    """The Python file.

    Raises:
        UsageError: There is nothing wrong with the cell, or nothing that a file shows.
    """
    if not can_be_made(cell):
        raise UsageError(
            f"{cell.id}: expected a cell of {', '.join(MAKERS)} that says what is wrong and that "
            "one file can show"
        )
    return MAKERS[cell.probe].write(cell, build)
