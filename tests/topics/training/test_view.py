"""Training in words and a table."""

from __future__ import annotations

from compat.runs.model import Outcome
from compat.topics.training.finding import find
from compat.topics.training.view import say, show
from tests.topics.cells import make_matrix
from tests.topics.saying import rows
from tests.topics.training.training_cells import REFUSED, failed, make_trained, trained_cell

CELLS = (
    trained_cell("2.12.0-cpu", make_trained(kept={"binary": REFUSED})),
    trained_cell("2.13.0-cpu", make_trained()),
    trained_cell("2.14.0-cpu", failed()),
    trained_cell("2.15.0-cpu", None, Outcome.NOT_RUN),
)


def test_each_state_is_said_once() -> None:
    matrix = make_matrix(*CELLS)
    said = {
        each.title.removeprefix("training on cpu: "): each for each in say(matrix, find(matrix))
    }
    what = "what is compiled with gradients on"
    assert list(said) == [
        f"{what} does not compile, or not run",
        f"{what} trains, and cannot be kept",
        f"{what} trains, is saved, and trains when it is loaded",
        f"{what} is not known",
    ]
    refused = said[f"{what} trains, and cannot be kept"]
    assert refused.text == "On 2.12.0: matmul (standalone). Seen: RuntimeError: no."
    assert refused.cells == (CELLS[0].id,)


def test_a_computation_stands_beside_its_own_builds() -> None:
    refused = make_trained(kept={"binary": REFUSED})
    matrix = make_matrix(
        trained_cell("2.12.0-cpu", refused),
        trained_cell("2.12.0-cpu", refused, lesson="norm"),
        trained_cell("2.13.0-cpu", refused, lesson="norm"),
        trained_cell("2.13.0-cpu", refused, lesson="dropout"),
    )
    (sentence,) = say(matrix, find(matrix))
    assert sentence.text.startswith(
        "On 2.12.0: matmul (standalone). On 2.12.0, 2.13.0: norm (standalone). "
        "On 2.13.0: dropout (standalone)."
    )


def test_computations_of_the_same_paths_and_builds_stand_together() -> None:
    refused = make_trained(kept={"binary": REFUSED})
    cells = [
        trained_cell("2.12.0-cpu", refused, lesson=lesson, path=path)
        for lesson, paths in (("norm", ("standalone", "aot")), ("dropout", ("standalone", "aot")))
        for path in paths
    ]
    matrix = make_matrix(*cells, trained_cell("2.12.0-cpu", refused, lesson="tied"))
    (sentence,) = say(matrix, find(matrix))
    assert sentence.text.startswith(
        "On 2.12.0: norm, dropout (standalone, aot). On 2.12.0: tied (standalone)."
    )


def test_the_table() -> None:
    matrix = make_matrix(*CELLS)
    (section,) = show(matrix, find(matrix))
    assert rows(section)[1] == [
        "matmul, standalone",
        "trains, not kept",
        "✅ kept",
        "💥 does not run",
        "❔",
    ]
