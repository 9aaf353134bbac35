"""Cells of context inputs."""

from __future__ import annotations

from compat.runs.model import Cell, Outcome
from compat.topics.inputs.records import Inputs
from tests.topics.cells import make_cell

PROBE = "context_inputs.inputs"


def params(kind: str, way: str, batch: str) -> dict[str, str]:
    return {"inputs": kind, "batch": batch, "way": way}


def taken(build: str, kind: str, way: str, *leaks: str, batch: str = "static") -> Cell:
    record = Inputs(compiles=True, failure="", leaks=leaks, returned="list", max_abs=1e-7)
    return make_cell(build, record, params=params(kind, way, batch))


def refused(build: str, kind: str, way: str, *, batch: str = "static") -> Cell:
    record = Inputs(
        compiles=False, failure="AssertionError: modes", leaks=(), returned="", max_abs=None
    )
    return make_cell(build, record, params=params(kind, way, batch))


def unknown(build: str, kind: str, way: str, outcome: Outcome, *, batch: str = "static") -> Cell:
    return make_cell(build, None, outcome, probe=PROBE, params=params(kind, way, batch))
