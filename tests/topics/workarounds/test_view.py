"""Workarounds in words and a table."""

from __future__ import annotations

from compat.document.parts import Sentence, Table
from compat.runs.model import Cell
from compat.topics.tracing_context.records import Needed
from compat.topics.workarounds.finding import find
from compat.topics.workarounds.view import say, show
from tests.topics.cells import make_cell, make_matrix
from tests.topics.workarounds.trial_cells import absent, free, needed, unknown

GATED = "scalar-mask"
UNGATED = "bare-result"


def said(*cells: Cell) -> dict[str, Sentence]:
    matrix = make_matrix(*cells)
    return {each.title: each for each in say(matrix, find(matrix))}


def table(*cells: Cell) -> Table:
    matrix = make_matrix(*cells)
    (section,) = show(matrix, find(matrix))
    (only,) = section.tables
    return only


def test_a_gate_that_opens_late() -> None:
    cells = [needed("2.10.0-cpu", GATED), needed("2.11.0-cpu", GATED), free("2.12.0-cpu", GATED)]
    ((title, sentence),) = said(*cells).items()
    assert title == "workaround scalar-mask: the gate opens late"
    assert "leaves out 2.10.0, where the workaround is needed" in sentence.text
    assert "once the oldest build supported is 2.12.0" in sentence.text
    assert sentence.cells == tuple(each.id for each in cells)


def test_without_a_gate() -> None:
    (title,) = said(needed("2.10.0-cpu", UNGATED), free("2.12.0-cpu", UNGATED))
    assert title == "workaround bare-result: it can be deleted from 2.12.0 on"


def test_one_that_is_still_needed_and_does_not_help() -> None:
    ((title, sentence),) = said(needed("2.15.0-cpu", UNGATED, with_it="TypeError")).items()
    assert title == "workaround bare-result: it is needed"
    assert "It does not help on 2.15.0. The newest build still needs it." in sentence.text


def test_what_no_build_needs_proves_nothing() -> None:
    ((title, sentence),) = said(free("2.10.0-cpu", "atomic-save")).items()
    assert title == "workarounds that no build in this run needs: 1"
    assert "atomic-save (vLLM 0.33.0)" in sentence.text


def test_what_another_topic_measures_it_says() -> None:
    record = Needed(needed=True, failure="AssertionError")
    cell = make_cell("2.10.0-cpu", record, params={"batch": "static"})
    assert said(cell) == {}
    assert list(table(cell).rows[0])[3:] == ["needed", "–"]


def test_the_table() -> None:
    found = table(
        needed("2.10.0-cpu", GATED),
        needed("2.11.0-cpu", GATED),
        free("2.12.0-cpu", GATED),
        free("2.10.0-cpu", "opaque-strides"),
        absent("2.11.0-cpu", "opaque-strides"),
        unknown("2.12.0-cpu", "opaque-strides"),
    )
    assert [list(row)[3:] for row in found.rows] == [
        ["needed ⚠️", "needed", "no", "2.12.0"],
        ["no", "➖", "❔", "no control"],
    ]


def test_a_build_to_which_it_is_applied_in_vain() -> None:
    found = table(needed("2.10.0-cpu", UNGATED), free("2.11.0-cpu", UNGATED))
    assert list(found.rows[0])[3:] == ["needed", "no, applied", "2.11.0"]


def test_nothing_is_shown_where_nothing_was_asked() -> None:
    matrix = make_matrix()
    assert list(show(matrix, find(matrix))) == []


def test_what_is_not_measured_is_listed_with_its_reason() -> None:
    matrix = make_matrix(free("2.10.0-cpu", GATED))
    (section,) = show(matrix, find(matrix))
    (note,) = section.notes
    text = "".join(each if isinstance(each, str) else each.text for each in note)
    assert text.startswith("Shipped and not measured: memory-plan-reuse (its gate is for a release")
    assert text.endswith("symmetric-memory (needs several GPUs).")
