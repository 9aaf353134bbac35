"""What is lost when training breaks."""

from __future__ import annotations

from typing import Any

import pytest

from compat.runs.answers import Change
from compat.topics.training.answers import ANSWERS
from compat.topics.training.records import Kept
from tests.topics.saying import changes, said_of
from tests.topics.training.training_cells import KEPT, LATE, REFUSED, failed, make_trained

WRONG = Kept(saved_at_once="right", saved_later="right", loaded="wrong: other numbers")


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"share": 2.0}, {"right": Change.LOST}),
        ({"share": None}, {"right": Change.LOST}),
        ({"contract": ("strides",)}, {"contract": Change.CHANGED}),
        ({"requires_grad": "no"}, {"requires_grad": Change.CHANGED}),
        ({"retained": "RuntimeError: donated"}, {"retained": Change.CHANGED}),
        ({"without_gradients": "wrong"}, {"without_gradients": Change.CHANGED}),
        ({"kept": {"binary": LATE}}, {"saved_at_once.binary": Change.CHANGED}),
        (
            {"kept": {"binary": WRONG}},
            {"loads.binary": Change.LOST, "loaded.binary": Change.CHANGED},
        ),
    ],
)
def test_what_changes(changed: dict[str, Any], expected: dict[str, Change]) -> None:
    assert changes(ANSWERS, make_trained(), make_trained(**changed)) == expected


def test_what_is_refused_is_lost() -> None:
    refused = make_trained(kept={"binary": REFUSED})
    seen = changes(ANSWERS, make_trained(kept={"binary": KEPT}), refused)
    assert seen["saves.binary"] is Change.LOST
    assert seen["loads.binary"] is Change.UNKNOWN


def test_what_does_not_run_says_nothing_of_the_rest() -> None:
    said = said_of(ANSWERS, failed())
    assert said["runs"].value is False
    assert said["failure"].value == "step: RuntimeError: no"
    unknown = {"right", "contract", "requires_grad", "retained", "without_gradients"}
    assert {name for name, each in said.items() if each.value is None} >= unknown
