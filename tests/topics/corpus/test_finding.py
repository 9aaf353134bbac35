"""What a graph does on each build."""

from __future__ import annotations

import pytest

from compat.runs.ids import BuildId
from compat.runs.model import Cell, Outcome
from compat.topics.corpus.finding import State, find
from tests.topics.cells import make_matrix
from tests.topics.corpus.corpus_cells import LINK, failed_run, graph_cell

CPU = "2.13.0-cpu"


@pytest.mark.parametrize(
    ("cell", "state"),
    [
        (graph_cell(CPU), State.RIGHT),
        (graph_cell(CPU, outcome=Outcome.FAIL, share=9.0), State.COMPUTES_WRONG),
        (graph_cell(CPU, outcome=Outcome.FAIL, share=None), State.COMPUTES_WRONG),
        (graph_cell(CPU, outcome=Outcome.FAIL, draws=("spread otherwise",)), State.COMPUTES_WRONG),
        (graph_cell(CPU, outcome=Outcome.FAIL, contract=("dtype",)), State.RETURNS_WRONG),
        (graph_cell(CPU, outcome=Outcome.ERROR, record=failed_run()), State.FAILS_TO_COMPILE),
        (
            graph_cell(CPU, outcome=Outcome.ERROR, record=failed_run(compiles=True)),
            State.FAILS_TO_RUN,
        ),
        (graph_cell(CPU, outcome=Outcome.CRASH), State.CRASHES),
        (graph_cell(CPU, outcome=Outcome.TIMEOUT), State.CRASHES),
        (graph_cell(CPU, outcome=Outcome.NOT_RUN), State.UNKNOWN),
        (graph_cell(CPU, outcome=Outcome.SKIP), State.UNKNOWN),
        (graph_cell(CPU, outcome=Outcome.UNSUPPORTED), State.UNSUPPORTED),
    ],
)
def test_states(cell: Cell, state: State) -> None:
    found = find(make_matrix(cell)).graphs["rows"][BuildId(CPU)]
    assert (found.state, found.cells) == (state, (cell,))


def test_the_worst_path_counts() -> None:
    wrong = graph_cell(
        CPU, outcome=Outcome.FAIL, path="aot", share=9.0, max_abs=0.5, contract=("strides",)
    )
    found = find(make_matrix(graph_cell(CPU), wrong))
    each = found.graphs["rows"][BuildId(CPU)]
    assert (each.state, each.cells) == (State.COMPUTES_WRONG, (wrong,))
    assert (each.max_abs, each.details) == (0.5, ("strides",))
    assert found.seconds == {BuildId(CPU): 3.0}
    assert found.links == {"rows": LINK}


def test_a_difference_that_is_not_finite_hides_behind_none() -> None:
    cells = [
        graph_cell(CPU, outcome=Outcome.FAIL, share=9.0, max_abs=0.5),
        graph_cell(CPU, outcome=Outcome.FAIL, path="aot", share=None, max_abs=None),
    ]
    assert find(make_matrix(*cells)).graphs["rows"][BuildId(CPU)].max_abs is None
