"""Parity in words and tables."""

from __future__ import annotations

from compat.document.parts import Chart, Section, Sentence
from compat.runs.model import Cell, Outcome
from compat.topics.parity.finding import find
from compat.topics.parity.view import draw, say, show
from tests.topics.cells import make_matrix
from tests.topics.parity.parity_cells import outputs, parity_cell


def said(*cells: Cell) -> list[Sentence]:
    matrix = make_matrix(*cells)
    return list(say(matrix, find(matrix)))


def shown(title: str, *cells: Cell) -> Section:
    matrix = make_matrix(*cells)
    (section,) = (each for each in show(matrix, find(matrix)) if each.title == title)
    return section


def drawn(*cells: Cell) -> list[Chart]:
    matrix = make_matrix(*cells)
    return list(draw(matrix, find(matrix)))


def test_all_agree() -> None:
    (sentence,) = said(parity_cell("a"), parity_cell("b"))
    assert sentence.title == "outputs on cpu: all paths agree"
    assert "bitwise equal in 1" in sentence.text
    assert "same kernels in 1 of 1 combinations" in sentence.text


def test_what_is_not_known_stands_in_the_title() -> None:
    unknown = parity_cell("b", outcome=Outcome.ERROR)
    (sentence,) = said(parity_cell("a"), unknown, parity_cell("a", model="block"))
    assert sentence.title == "outputs on cpu: all paths agree in 1 combinations, 1 are not known"
    assert (
        "1 are not known, since a path there did not come to its end or left no record: on 2.13.0"
        in sentence.text
    )
    (sentence,) = said(parity_cell("a"), unknown)
    assert sentence.title == "outputs on cpu: not known"


def test_a_path_that_differs_is_named_with_its_cells() -> None:
    wrong = parity_cell("b", outcome=Outcome.FAIL, contract=("strides",), model="block")
    (sentence,) = said(parity_cell("a"), wrong)
    assert sentence.title == "outputs on cpu: some paths compute something else"
    assert "block float32 static (strides) on 2.13.0" in sentence.text
    assert sentence.cells == (wrong.id,)


def test_devices_do_not_mix() -> None:
    cells = (parity_cell("a"), parity_cell("a", "2.13.0-cuda", digest="x", outcome=Outcome.FAIL))
    assert [each.title for each in said(*cells)] == [
        "outputs on cpu: all paths agree",
        "outputs on cuda: some paths compute something else",
    ]
    first, second = shown("Parity", *cells).tables
    assert (first.headers[3:], second.headers[3:]) == (["2.13.0-cpu"], ["2.13.0-cuda"])


def test_the_largest_error_names_every_build_that_has_it() -> None:
    builds = ("2.10.0-cpu", "2.11.0-cpu", "2.12.0-cpu")
    cells = [parity_cell("a", build, element_ratio=0.7) for build in builds[:2]]
    (sentence,) = said(*cells, parity_cell("a", builds[2], element_ratio=0.5))
    assert "difference from eager is 1e-06: mlp float32 static (2.10.0, 2.11.0, 2.12.0)" in (
        sentence.text
    )
    assert "0.7 of what is allowed: mlp float32 static on a (2.10.0, 2.11.0)" in sentence.text


def test_what_was_left_out_is_said() -> None:
    (sentence,) = said(parity_cell("a", left_out=("strides",)))
    assert "Not compared on purpose: strides." in sentence.text


def test_the_table_of_paths() -> None:
    cells = (parity_cell("eager"), parity_cell("aot", outcome=Outcome.CRASH))
    (table,) = shown("Paths", *cells).tables
    assert table.rows == [["2.13.0", "✅", "☠️"]]
    (table,) = shown("Paths", parity_cell("aot"), parity_cell("aot", model="block")).tables
    assert table.rows == [["2.13.0", "✅ 1.5 s"]]


def test_the_table_of_parity() -> None:
    (table,) = shown("Parity", parity_cell("a"), parity_cell("b", digest="x")).tables
    assert table.rows == [["mlp", "float32", "static", "✅ ≈ 1.0e-06 (0.30)"]]
    (table,) = shown("Parity", parity_cell("a", outcome=Outcome.TIMEOUT)).tables
    assert table.rows == [["mlp", "float32", "static", "❔"]]


def test_a_jump_is_said_shown_and_drawn() -> None:
    cells = [
        parity_cell("aot", "2.12.0-cpu", numbers=outputs(1.0)),
        parity_cell("aot", "2.13.0-cpu", numbers=outputs(2.0)),
    ]
    (sentence,) = (each for each in said(*cells) if "moves" in each.title)
    assert sentence.title == "outputs: mlp in float32 moves from 2.12.0 to 2.13.0"
    assert sentence.cells == (cells[1].id,)
    (table,) = shown("Drift from build to build", *cells).tables
    assert table.rows == [["mlp", "float32", "❗ 1.0e+00"]]
    (chart,) = drawn(*cells)
    assert chart.labels == ["2.13.0"]
    ((share,),) = chart.series.values()
    assert isinstance(share, float)
    assert share > 1


def test_nothing_was_run() -> None:
    assert said() == []
    assert drawn() == []
