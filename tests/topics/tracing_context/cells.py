"""Cells of the tracing context."""

from __future__ import annotations

from compat.runs.model import Cell, Outcome
from compat.topics.inputs.records import OnModel
from compat.topics.tracing_context.records import Hidden, Needed, Restored
from tests.topics.cells import make_cell

CRASH = "AssertionError: fake mode from tracing context 0 doesn't match"


def needed(build: str, *, batch: str = "static") -> Cell:
    return make_cell(build, Needed(needed=True, failure=CRASH), params={"batch": batch})


def free(build: str, *, batch: str = "static") -> Cell:
    return make_cell(build, Needed(needed=False, failure=""), params={"batch": batch})


def unknown(build: str, outcome: Outcome = Outcome.NOT_RUN, *, batch: str = "static") -> Cell:
    return make_cell(build, None, outcome, probe="tracing_context.needed", params={"batch": batch})


def hidden(build: str, strategy: str, outcome: Outcome = Outcome.PASS) -> Cell:
    record = Hidden(max_abs=1e-7) if outcome is Outcome.PASS else None
    params = {"strategy": strategy, "batch": "static"}
    return make_cell(build, record, outcome, probe="tracing_context.strategy", params=params)


def restored(build: str, strategy: str, outcome: Outcome = Outcome.PASS) -> Cell:
    record = Restored(hidden=True, restored=outcome is Outcome.PASS)
    return make_cell(build, record, outcome, params={"strategy": strategy, "when": "success"})


def on_model(
    build: str, model: str, *, unhidden: str = "", hidden: str = "", inputs: str = "foreign"
) -> Cell:
    params = {"model": model, "dtype": "float32", "batch": "dynamic", "inputs": inputs}
    return make_cell(build, OnModel(unhidden=unhidden, hidden=hidden), params=params)
