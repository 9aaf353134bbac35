"""The tracing context in words."""

from __future__ import annotations

from compat.document.parts import Sentence
from compat.runs.model import Cell, Outcome
from compat.topics.tracing_context.finding import find
from compat.topics.tracing_context.records import Fallback
from compat.topics.tracing_context.view import say, show
from tests.topics.cells import make_cell, make_matrix
from tests.topics.inputs.cells import refused, taken
from tests.topics.saying import rows, words
from tests.topics.tracing_context.cells import CRASH, free, hidden, needed, restored, unknown

OLD, MIDDLE, NEW = "2.10.0-cpu", "2.11.0-cpu", "2.15.0-cpu"


def said(*cells: Cell) -> list[Sentence]:
    matrix = make_matrix(*cells)
    return list(say(matrix, find(matrix)))


def test_where_it_can_go_and_what_that_rests_on() -> None:
    cells = [needed(OLD), free(MIDDLE), free(NEW), unknown("2.16.rc-cpu")]
    (sentence,) = said(*cells, hidden(OLD, "tls"), restored(OLD, "tls"))
    assert sentence.title == "tracing context: the workaround is needed on 2.10.0"
    assert (
        "It can be deleted from 2.11.0 on: 2.11.0, 2.15.0 compile fake inputs of one foreign "
        "mode without it. That rests on mlp in float32, static shapes, foreign inputs. "
        "Not known: 2.16.rc."
    ) in sentence.text
    assert "What deleting it costs is not known in full on 2.11.0, 2.15.0." in sentence.text
    assert "work where they were tried: tls. 3 of 4 pairs" in sentence.text
    assert sentence.cells == tuple(cell.id for cell in cells[:3])


def test_a_candidate_that_needs_it_again() -> None:
    (sentence,) = said(needed(OLD), free(MIDDLE), needed("2.16.0rc1-cpu"))
    assert sentence.title.endswith("is needed on 2.10.0, 2.16.0rc1")
    assert "No later build is known not to need it." in sentence.text
    assert "deleted" not in sentence.text


def test_what_deleting_it_costs() -> None:
    (sentence,) = said(
        needed(OLD),
        free(NEW),
        taken(NEW, "foreign", "none", "context.params_flat"),
        taken(NEW, "foreign", "tls"),
        taken(NEW, "mixed", "none", "context.params_flat", "shape_env.guards"),
        refused(NEW, "mixed", "tls"),
        refused(NEW, "own", "none"),
        taken(NEW, "own", "tls"),
    )
    assert (
        "Without it, compile_fx changes in Dynamo's context: context.params_flat on 2.15.0 "
        "(foreign, mixed); shape_env.guards on 2.15.0 (mixed)."
    ) in sentence.text
    assert "These inputs then stop compiling: own on 2.15.0." in sentence.text
    assert "These inputs then begin to compile: mixed on 2.15.0." in sentence.text
    assert "not known in full" not in sentence.text


def test_a_way_that_fails() -> None:
    (sentence,) = said(
        needed(OLD),
        hidden(OLD, "tls"),
        restored(OLD, "tracing", Outcome.FAIL),
        restored("2.13.0-cuda", "thread", Outcome.CRASH),
    )
    assert "These ways of hiding it fail: tracing on 2.10.0." in sentence.text


def test_without_a_control_nothing_can_go() -> None:
    (sentence,) = said(free(MIDDLE), free(NEW))
    assert sentence.title == "tracing context: no control for 2.11.0, 2.15.0"
    assert "can be deleted" not in sentence.text
    assert "another device" not in sentence.text
    assert "No way of hiding it was tried." in sentence.text


def test_a_control_of_another_device_is_named_and_no_control() -> None:
    _, on_cuda = said(needed(OLD), free("2.13.0-cuda"))
    assert on_cuda.title == "tracing context: no control for 2.13.0 cuda"
    assert "On another device or Python, 2.10.0 fails, so the check sees it there." in on_cuda.text


def test_the_table() -> None:
    matrix = make_matrix(
        needed(OLD),
        hidden(OLD, "tls"),
        restored(OLD, "tls"),
        free(NEW),
        make_cell(NEW, Fallback(chosen="tls"), Outcome.FAIL, params={"taken": "_TLS"}),
        unknown("nightly-cpu"),
    )
    (section,) = show(matrix, find(matrix))
    assert rows(section) == [
        ["build", "needed", "tls", "restores", "falls back", "reentrant"],
        ["2.10.0", "yes", "✅", "✅", "", ""],
        ["2.15.0", "no", "❔", "", "❌", ""],
        ["nightly", "❔", "❔", "", "", ""],
    ]
    assert [words(note) for note in section.notes] == [f"Without it on 2.10.0: {CRASH}"]
