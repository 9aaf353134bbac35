"""What a computation does on each build."""

from __future__ import annotations

import pytest

from compat.runs.ids import BuildId
from compat.runs.model import Outcome
from compat.topics.training.finding import State, find
from compat.topics.training.records import Trained
from tests.topics.cells import make_matrix
from tests.topics.training.training_cells import (
    KEPT,
    LATE,
    REFUSED,
    failed,
    make_trained,
    trained_cell,
)

CPU = "2.13.0-cpu"


@pytest.mark.parametrize(
    ("record", "outcome", "state"),
    [
        (make_trained(), Outcome.PASS, State.KEPT),
        (make_trained(kept={"binary": REFUSED, "unpacked": KEPT}), Outcome.PASS, State.KEPT),
        (make_trained(kept={"binary": REFUSED}), Outcome.PASS, State.NOT_KEPT),
        (make_trained(kept={}), Outcome.PASS, State.TRAINS),
        (make_trained(share=3.0), Outcome.FAIL, State.WRONG),
        (make_trained(), Outcome.FAIL, State.LOADS_WRONG),
        (failed(), Outcome.PASS, State.FAILS),
        (None, Outcome.UNSUPPORTED, State.UNSUPPORTED),
        (None, Outcome.CRASH, State.UNKNOWN),
        (None, Outcome.NOT_RUN, State.UNKNOWN),
    ],
)
def test_states(record: Trained | None, outcome: Outcome, state: State) -> None:
    found = find(make_matrix(trained_cell(CPU, record, outcome)))
    assert found.lessons[0].builds[BuildId(CPU)].state is state


def test_details_are_what_is_not_right() -> None:
    record = make_trained(contract=("strides",), kept={"binary": LATE, "unpacked": REFUSED})
    found = find(make_matrix(trained_cell(CPU, record)))
    details = found.lessons[0].builds[BuildId(CPU)].details
    assert details == ("strides", "RuntimeError: early", "RuntimeError: no")
