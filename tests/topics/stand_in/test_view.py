"""The stand-in in words."""

from __future__ import annotations

from compat.document.parts import Sentence
from compat.runs.model import Cell, Outcome
from compat.topics.stand_in.finding import find
from compat.topics.stand_in.view import say, show
from tests.topics.cells import make_matrix
from tests.topics.saying import rows
from tests.topics.stand_in.cells import needs, reads, unknown

OLD, NEW = "2.10.0-cpu", "2.11.0-cpu"


def said(*cells: Cell) -> list[Sentence]:
    matrix = make_matrix(*cells)
    return list(say(matrix, find(matrix)))


def test_from_which_build_on_an_older_stand_in_breaks() -> None:
    (sentence,) = said(
        needs(OLD, "hints", False),
        needs(NEW, "hints", True),
        needs(OLD, "guards", True),
        needs(NEW, "guards", False),
    )
    assert sentence.title.endswith("changes from 2.10.0 to 2.11.0")
    assert sentence.text == (
        "Saving or loading begins to fail without hints. It no longer fails without guards."
    )
    assert len(sentence.cells) == 4


def test_a_read_that_the_stand_in_does_not_know() -> None:
    cell = reads("2.13.0rc1-cpu", "freeze_hints")
    (sentence,) = said(reads(NEW), cell)
    assert sentence.title == "ShapeEnv stand-in: 2.13.0rc1 reads more than it has"
    assert "torch reads freeze_hints:" in sentence.text
    assert sentence.cells == (cell.id,)


def test_nothing_to_say() -> None:
    assert said(reads(OLD), reads(NEW), needs(OLD, "a", True), needs(NEW, "a", True)) == []


def test_the_table() -> None:
    matrix = make_matrix(
        needs(OLD, "hints", False, read=False),
        needs(NEW, "hints", True),
        needs("2.12.1-cpu", "hints", False),
        unknown("2.13.0-cpu", "hints"),
        unknown("2.14.1-cpu", "hints", Outcome.PASS),
        reads(NEW, "freeze_hints"),
        reads("2.12.1-cpu"),
    )
    (section,) = show(matrix, find(matrix))
    assert rows(section) == [
        ["member", "2.10.0", "2.11.0", "2.12.1", "2.13.0", "2.14.1"],
        ["hints", "no", "needed", "read", "☠️", "❔"],
        ["not in the stand-in", "❔", "freeze_hints", "", "❔", "❔"],
    ]
