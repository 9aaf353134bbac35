"""The switch in words and a table."""

from __future__ import annotations

from compat.document.parts import Sentence
from compat.runs.model import Cell, Outcome
from compat.topics.settings.finding import find
from compat.topics.settings.view import say, show
from tests.topics.cells import make_matrix
from tests.topics.settings.switch_cells import switch_cell


def said(*cells: Cell) -> dict[str, Sentence]:
    matrix = make_matrix(*cells)
    return {each.title: each for each in say(matrix, find(matrix))}


def test_each_device_by_itself() -> None:
    dead = switch_cell("2.13.0-cuda", Outcome.FAIL, legacy_calls=2)
    found = said(switch_cell("2.12.0-cpu"), switch_cell("2.13.0-cpu", bitwise=False), dead)
    well, broken = found.values()
    assert list(found) == [
        "settings on cpu: the switch chooses the path",
        "settings on cuda: COMPAT_USE_STANDALONE_COMPILE does not choose the path",
    ]
    assert "on 2.12.0, 2.13.0; in 1 of 2 cells" in well.text
    assert broken.cells == (dead.id,)


def test_what_is_not_known_is_said() -> None:
    (title,) = said(switch_cell("2.13.0-cpu", Outcome.ERROR))
    assert title == "settings on cpu: what the switch does is not known"


def test_the_table() -> None:
    cells = [
        switch_cell("2.12.0-cpu"),
        switch_cell("2.13.0-cpu", Outcome.FAIL, max_abs=None),
        switch_cell("2.14.0-cpu", Outcome.NOT_RUN),
    ]
    matrix = make_matrix(*cells)
    (section,) = show(matrix, find(matrix))
    (table,) = section.tables
    assert table.rows == [["float32", "✅ = 1.0e-06", "❌ differs", "❔"]]
