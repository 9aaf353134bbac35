"""Cells of failures, made by hand."""

from __future__ import annotations

from typing import Any

from compat.runs.model import Cell, Outcome
from compat.topics.failing.records import RIGHT, Aftermath, Failed, FailedBackward
from tests.topics.cells import make_cell


def make_failed(**changes: Any) -> Failed:
    values: dict[str, Any] = {
        "reached": True,
        "raised": "InductorError < RuntimeError < Exception",
        "broke": "Boom < Exception",
        "signature": "Boom: ",
        "changed": (),
        "left": (),
        "eager": RIGHT,
        "copied": RIGHT,
        "next": RIGHT,
    }
    return Failed(places={"pass": Aftermath(**{**values, **changes})})


def failed_cell(build: str, record: Failed | None, outcome: Outcome = Outcome.PASS) -> Cell:
    return make_cell(
        build,
        record,
        outcome,
        probe="failing.compilation",
        params={"path": "compile_fx", "returns": "bare"},
    )


def make_backward(**changes: Any) -> FailedBackward:
    values: dict[str, Any] = {
        "stage": "backward",
        "raised": "BoomError < Exception",
        "signature": "BoomError:",
        "left": (),
        "gradients": 0,
        "eager": RIGHT,
        "again": RIGHT,
        "next": RIGHT,
    }
    return FailedBackward(**{**values, **changes})


def backward_cell(
    build: str, record: FailedBackward | None, outcome: Outcome = Outcome.PASS
) -> Cell:
    return make_cell(
        build, record, outcome, probe="failing.backward", params={"path": "standalone"}
    )
