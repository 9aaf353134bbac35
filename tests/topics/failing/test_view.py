"""Failures in words and tables."""

from __future__ import annotations

from compat.runs.model import Outcome
from compat.topics.failing.finding import find
from compat.topics.failing.view import say, show
from tests.topics.cells import make_matrix
from tests.topics.failing.failing_cells import (
    backward_cell,
    failed_cell,
    make_backward,
    make_failed,
)
from tests.topics.saying import rows

CELLS = (
    failed_cell("2.11.0-cpu", make_failed()),
    failed_cell("2.12.0-cpu", make_failed(eager="list", copied="list", changed=("code",))),
    failed_cell("2.13.0-cpu", make_failed(copied="list", left=("gradients",)), Outcome.FAIL),
    failed_cell("2.14.0-cpu", None, Outcome.CRASH),
)


def test_what_is_left_behind_is_said() -> None:
    matrix = make_matrix(*CELLS)
    said = {each.title.removeprefix("failing on cpu: "): each for each in say(matrix, find(matrix))}
    after = "after a compilation that failed"
    assert list(said) == [
        f"{after}, the caller's graph is no longer what it was",
        f"{after}, the process is not as it was",
        "what failures leave behind is not known everywhere",
    ]
    graph = said[f"{after}, the caller's graph is no longer what it was"]
    assert graph.text == (
        "On 2.12.0, 2.13.0. compile_fx, pass: list; compile_fx, pass: a copy gives list."
    )
    assert graph.cells == (CELLS[1].id, CELLS[2].id)


def test_nothing_is_said_where_all_is_well() -> None:
    matrix = make_matrix(CELLS[0])
    assert list(say(matrix, find(matrix))) == []


def test_the_tables() -> None:
    matrix = make_matrix(*CELLS)
    raised, graph = show(matrix, find(matrix))
    name = "compile_fx, bare, pass"
    error = "InductorError < RuntimeError < Exception"
    assert rows(raised)[1] == [name, error, error, error, "☠️"]
    assert rows(graph)[1] == [name, "✅", "❌ list; changed: code", "❌ a copy gives list", "☠️"]


def test_when_a_backward_graph_fails() -> None:
    matrix = make_matrix(
        backward_cell("2.12.0-cpu", make_backward()),
        backward_cell("2.13.0-cpu", make_backward(stage="compile", again="")),
        backward_cell("2.14.0-cpu", None, Outcome.CRASH),
    )
    (section,) = show(matrix, find(matrix))
    assert rows(section)[1] == [
        "standalone",
        "backward: BoomError < Exception; the next step: right",
        "compile: BoomError < Exception",
        "☠️",
    ]
