"""What reaches a downstream, in words and a table."""

from __future__ import annotations

from compat.topics.reach.finding import find
from compat.topics.reach.view import say, show
from tests.topics.cells import make_matrix
from tests.topics.reach.reach_cells import (
    PATCHED,
    census_cell,
    make_census,
    make_patches,
    make_trials,
    patches_cell,
    trials_cell,
)
from tests.topics.saying import rows


def test_what_is_lost_comes_first() -> None:
    cells = [
        patches_cell("2.11.0-cpu", make_patches("()")),
        patches_cell("2.12.0-cpu", make_patches(raised="KeyError: x")),
    ]
    matrix = make_matrix(*cells)
    (sentence,) = say(matrix, find(matrix))
    assert sentence.title == "what a patch sees: 3 answers changed from 2.11.0 to 2.12.0"
    lost = f"worked.compiled, reached.compiled.{PATCHED}"
    assert sentence.text == f"Lost: {lost}. Otherwise: raised.compiled."
    assert sentence.cells == (cells[0].id, cells[1].id)


def test_a_wrong_number_is_said_once_for_all_builds() -> None:
    cells = [trials_cell(f"2.{n}.0-cpu", make_trials("wrong", "off")) for n in (11, 12)]
    matrix = make_matrix(*cells)
    (sentence,) = say(matrix, find(matrix))
    assert sentence.title == "wrong without a word: plain.chain"
    assert sentence.text == "So it is on 2.11.0, 2.12.0: off"


def test_the_table_has_what_differs() -> None:
    cells = [
        census_cell("2.11.0-cpu", make_census(1)),
        census_cell("2.12.0-cpu", make_census(1)),
        census_cell("2.13.0-cpu", make_census(2)),
    ]
    matrix = make_matrix(*cells)
    (section,) = show(matrix, find(matrix))
    assert rows(section) == [
        ["answer", "2.11.0", "2.12.0", "2.13.0"],
        [
            "passes.census.joint_custom_pre_pass.mlp",
            "aten.add.Tensor ×2, aten.mm.default ×1",
            "aten.add.Tensor ×2, aten.mm.default ×1",
            "aten.add.Tensor ×2, aten.mm.default ×2",
        ],
    ]


def test_a_long_answer_is_cut() -> None:
    cells = [
        trials_cell("2.11.0-cpu", make_trials(said="x" * 300)),
        trials_cell("2.12.0-cpu", make_trials(said="y")),
    ]
    matrix = make_matrix(*cells)
    (section,) = show(matrix, find(matrix))
    _, (name, long, short) = rows(section)
    assert name == "passes.few.said.plain.chain"
    assert len(long) == 120
    assert long.endswith("x…")
    assert short == "right: y"


def test_nothing_is_shown_where_nothing_differs() -> None:
    matrix = make_matrix(census_cell("2.11.0-cpu"))
    assert not list(say(matrix, find(matrix)))
    assert not list(show(matrix, find(matrix)))
