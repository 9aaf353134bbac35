"""The corpus in words and a table."""

from __future__ import annotations

from compat.document.parts import Sentence
from compat.runs.model import Cell, Outcome
from compat.topics.corpus.finding import find
from compat.topics.corpus.view import say, show
from tests.topics.cells import make_matrix
from tests.topics.corpus.corpus_cells import failed_run, graph_cell
from tests.topics.saying import rows

WRONG = graph_cell("2.12.1-cpu", "flip", Outcome.FAIL, share=9.0, max_abs=0.5)
CELLS = [
    graph_cell("2.12.1-cpu"),
    WRONG,
    graph_cell("2.12.1-cpu", "pad", Outcome.FAIL, contract=("strides",)),
    graph_cell("2.13.0-cpu"),
    graph_cell("2.13.0-cpu", "flip"),
    graph_cell("2.13.0-cpu", "pad", Outcome.UNSUPPORTED),
    graph_cell("2.13.0-cuda", outcome=Outcome.ERROR, record=failed_run()),
    graph_cell("2.13.0-cuda", "flip", Outcome.CRASH),
    graph_cell("2.13.0-cuda", "pad", Outcome.NOT_RUN),
]


def said(*cells: Cell) -> dict[str, Sentence]:
    matrix = make_matrix(*cells)
    return {each.title: each for each in say(matrix, find(matrix))}


def test_each_device_by_itself() -> None:
    found = said(*CELLS)
    assert list(found) == [
        "corpus on cpu: 1 of 3 graphs computes something else",
        "corpus on cpu: 1 of 3 graphs returns something else",
        "corpus on cpu: all graphs are right on 2.13.0",
        "corpus on cuda: 1 of 3 graphs crashes",
        "corpus on cuda: 1 of 3 graphs does not compile",
        "corpus on cuda: 1 of 3 graphs is not known",
    ]
    wrong = found["corpus on cpu: 1 of 3 graphs computes something else"]
    assert (wrong.text, wrong.cells) == ("On 2.12.1: flip.", (WRONG.id,))


def test_several_builds_are_one_sentence() -> None:
    (found,) = said(
        graph_cell("2.12.1-cpu", "a", Outcome.CRASH), graph_cell("2.13.0-cpu", "b", Outcome.CRASH)
    ).values()
    assert found.title == "corpus on cpu: 2 of 2 graphs crash"
    assert found.text == "On 2.12.1: a. On 2.13.0: b."


def test_a_graph_is_named_once_with_those_that_are_wrong_where_it_is() -> None:
    crashes = [
        graph_cell(f"{build}-cpu", graph, Outcome.CRASH)
        for build, graphs in (("2.11.0", "ab"), ("2.12.1", "abc"), ("2.13.0", "bd"))
        for graph in graphs
    ]
    (found,) = said(*crashes).values()
    assert (
        found.text
        == "On every build that was asked: b. On 2.11.0, 2.12.1: a. On 2.12.1: c. On 2.13.0: d."
    )
    assert len(found.cells) == len(crashes)


def test_the_table_has_what_is_not_right_everywhere() -> None:
    matrix = make_matrix(*CELLS)
    (section,) = show(matrix, find(matrix))
    headers, *others = rows(section)
    assert headers[0] == "graph"
    assert [row[:3] for row in others] == [
        ["rows", "✅", "✅"],
        ["flip", "❌ 5.0e-01", "✅"],
        ["pad", "❌ strides", "➖"],
    ]
    assert [row[3] for row in others] == ["💥 does not compile", "☠️ crashes", "❔"]


def test_nothing_is_shown_where_all_is_right() -> None:
    matrix = make_matrix(graph_cell("2.13.0-cpu"))
    assert list(show(matrix, find(matrix))) == []
    assert said(graph_cell("2.13.0-cpu"))


def test_nothing_is_said_where_nothing_was_asked() -> None:
    matrix = make_matrix()
    assert list(say(matrix, find(matrix))) == list(show(matrix, find(matrix))) == []
