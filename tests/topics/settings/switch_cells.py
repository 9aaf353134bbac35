"""Cells of the switch, made by hand."""

from __future__ import annotations

from typing import Any

from compat.runs.model import Cell, Outcome
from compat.topics.settings.records import Switch
from tests.topics.cells import make_cell


def make_switch(**changes: Any) -> Switch:
    values: dict[str, Any] = {
        "max_abs": 1e-6,
        "bitwise": True,
        "legacy_calls": 0,
        "standalone_calls": 4,
    }
    return Switch(**{**values, **changes})


def switch_cell(build: str, outcome: Outcome = Outcome.PASS, **changes: Any) -> Cell:
    ended = outcome in {Outcome.PASS, Outcome.FAIL}
    return make_cell(
        build,
        make_switch(**changes) if ended else None,
        outcome,
        probe="settings.standalone_switch",
        params={"dtype": "float32"},
    )
