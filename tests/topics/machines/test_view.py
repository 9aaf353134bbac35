"""Odd machines in words and a table."""

from __future__ import annotations

from compat.document.parts import Sentence
from compat.runs.model import Cell
from compat.topics.machines.finding import find
from compat.topics.machines.view import say, show
from tests.topics.cells import make_matrix
from tests.topics.machines.call_cells import COMPILED, EAGER, RAISED, WRONG, calls_cell
from tests.topics.saying import rows


def said(*cells: Cell) -> dict[str, Sentence]:
    matrix = make_matrix(*cells)
    return {each.title: each for each in say(matrix, find(matrix))}


def test_what_is_wrong_and_what_differs_is_said_of_each_device() -> None:
    wrong = calls_cell("2.13.0-cuda", fork=WRONG)
    found = said(
        calls_cell("2.12.1-cpu", fork=EAGER, thread=COMPILED),
        calls_cell("2.13.0-cpu", fork=RAISED, thread=COMPILED),
        wrong,
    )
    differ = found["machines on cpu: machines.odd[common], fork: builds differ"]
    assert differ.text == "eager on 2.12.1; raises RuntimeError: no on 2.13.0."
    computed = found["machines on cuda: machines.odd[common], fork: something else is computed"]
    assert computed.cells == (wrong.id,)
    assert len(found) == 2


def test_the_table_leaves_out_what_works_everywhere() -> None:
    cells = [
        calls_cell("2.12.1-cpu", fork=EAGER, thread=COMPILED, deterministic=WRONG),
        calls_cell("2.13.0-cpu", fork=RAISED, thread=COMPILED, deterministic=COMPILED),
    ]
    matrix = make_matrix(*cells)
    (section,) = show(matrix, find(matrix))
    assert "1 of 3" in section.intro
    assert rows(section) == [
        ["asked", "what is odd", "2.12.1", "2.13.0"],
        ["machines.odd[common]", "fork", "✅ eager", "💥 raises RuntimeError: no"],
        ["machines.odd[common]", "deterministic", "❌ wrong, compiled", "✅ compiled"],
    ]
