"""Cells of training, made by hand."""

from __future__ import annotations

from typing import Any

from compat.runs.model import Cell, Outcome
from compat.topics.training.records import NOT_ASKED, RIGHT, Kept, Trained
from tests.topics.cells import make_cell

REFUSED = Kept(saved_at_once="RuntimeError: no", saved_later="RuntimeError: no", loaded=NOT_ASKED)
KEPT = Kept(saved_at_once=RIGHT, saved_later=RIGHT, loaded=RIGHT)
LATE = Kept(saved_at_once="RuntimeError: early", saved_later=RIGHT, loaded=RIGHT)


def make_trained(**changes: Any) -> Trained:
    values: dict[str, Any] = {
        "failure": "",
        "share": 0.5,
        "contract": (),
        "requires_grad": "yes",
        "retained": RIGHT,
        "without_gradients": RIGHT,
        "kept": {"binary": KEPT},
    }
    return Trained(**{**values, **changes})


def failed() -> Trained:
    return Trained(failure="step: RuntimeError: no", kept={"binary": REFUSED})


def trained_cell(
    build: str,
    record: Trained | None,
    outcome: Outcome = Outcome.PASS,
    lesson: str = "matmul",
    path: str = "standalone",
) -> Cell:
    return make_cell(
        build,
        record,
        outcome,
        probe="training.step",
        params={"lesson": lesson, "path": path},
    )
