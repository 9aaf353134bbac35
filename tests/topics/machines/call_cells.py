"""Cells of calls on odd machines, made by hand."""

from __future__ import annotations

from compat.runs.model import Cell, Outcome
from compat.topics.machines.records import Calls, Went
from tests.topics.cells import make_cell

COMPILED = Went(right=True, how="compiled")
EAGER = Went(right=True, how="eager")
WRONG = Went(right=False, how="compiled")
RAISED = Went(right=None, how="raises RuntimeError: no")


def calls_cell(build: str, outcome: Outcome = Outcome.PASS, **went: Went) -> Cell:
    return make_cell(
        build,
        Calls(went=went) if went else None,
        outcome,
        probe="machines.odd",
        params={"group": "common"},
    )
