"""Gates in words."""

from __future__ import annotations

from compat.document.parts import Section, Sentence
from compat.runs.model import Cell, Outcome
from compat.topics.gates.finding import find
from compat.topics.gates.view import say, show
from tests.topics.cells import make_matrix
from tests.topics.gates.cells import capability, shared, target, unknown
from tests.topics.saying import rows


def said(*cells: Cell) -> list[Sentence]:
    matrix = make_matrix(*cells)
    return list(say(matrix, find(matrix)))


def shown(*cells: Cell) -> Section:
    matrix = make_matrix(*cells)
    (section,) = show(matrix, find(matrix))
    return section


def test_a_gate_that_opens_late() -> None:
    missed = capability("2.12.1-cpu", False, True)
    (sentence,) = said(missed, capability("2.13.0-cpu", True, True))
    assert sentence.title == "fake_mode: the gate opens late"
    assert (
        "gate 2.13.0.dev, so it does not use the feature, which is there on 2.12.1."
        in sentence.text
    )
    assert sentence.cells == (missed.id,)


def test_a_gate_that_opens_too_early() -> None:
    broken = capability("2.16.0rc1-cpu", True, False)
    (sentence,) = said(capability("2.13.0-cpu", True, True), broken)
    assert sentence.title == "fake_mode: the gate opens too early"
    assert "2.16.0rc1 lack the feature" in sentence.text
    assert sentence.cells == (broken.id,)


def test_a_gate_that_is_right_says_nothing() -> None:
    cells = (capability("2.12.1-cpu", False, False), capability("2.13.0-cpu", True, True))
    assert said(*cells, unknown("2.14.1-cpu")) == []


def test_the_patch_of_fake_tensor_mode() -> None:
    (sentence,) = said(
        shared("2.12.1-cpu", "argument", Outcome.UNSUPPORTED),
        shared("2.12.1-cpu", "monkeypatch"),
        shared("2.13.0-cpu", "argument"),
        target("2.12.1-cpu", False),
    )
    assert "fake_mode= does the same on 2.13.0." in sentence.text
    assert "The patch works on 2.12.1." in sentence.text
    assert "misses the module on 2.12.1." in sentence.text
    assert len(sentence.cells) == 4


def test_the_table_has_a_column_a_build() -> None:
    section = shown(
        unknown("2.11.0-cpu"),
        capability("2.12.1-cpu", False, True),
        capability("2.13.0-cuda", True, True),
        capability("2.16.0-cpu", True, False),
    )
    assert rows(section) == [
        ["feature", "gate", "2.11.0", "2.12.1", "2.13.0 cuda", "2.16.0"],
        ["fake_mode", "2.13.0.dev", "❔", "🟡 missed", "✅ used", "❌ broken"],
    ]
