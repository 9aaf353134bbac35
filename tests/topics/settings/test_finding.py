"""What the switch does on each build."""

from __future__ import annotations

import pytest

from compat.runs.ids import BuildId
from compat.runs.model import Cell, Outcome
from compat.topics.settings.finding import Effect, find
from tests.topics.cells import make_matrix
from tests.topics.settings.switch_cells import switch_cell

CPU = "2.13.0-cpu"


@pytest.mark.parametrize(
    ("cell", "effect"),
    [
        (switch_cell(CPU), Effect.BITWISE),
        (switch_cell(CPU, bitwise=False), Effect.CLOSE),
        (switch_cell(CPU, Outcome.FAIL, legacy_calls=3), Effect.DEAD),
        (switch_cell(CPU, Outcome.FAIL, standalone_calls=0), Effect.DEAD),
        (switch_cell(CPU, Outcome.FAIL), Effect.DIFFERS),
        (switch_cell(CPU, Outcome.ERROR), Effect.UNKNOWN),
        (switch_cell(CPU, Outcome.NOT_RUN), Effect.UNKNOWN),
    ],
)
def test_effects(cell: Cell, effect: Effect) -> None:
    found = find(make_matrix(cell)).dtypes["float32"][BuildId(CPU)]
    assert (found.effect, found.cell) == (effect, cell.id)
