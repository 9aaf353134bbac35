"""What is lost when a failure does harm."""

from __future__ import annotations

from typing import Any

import pytest

from compat.runs.answers import Change
from compat.topics.failing.answers import ANSWERS
from tests.topics.failing.failing_cells import make_backward, make_failed
from tests.topics.saying import changes


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"reached": False}, {"reached": Change.LOST}),
        ({"raised": "KeyError < Exception"}, {"raised": Change.CHANGED}),
        ({"broke": "KeyError < Exception"}, {"broke": Change.CHANGED}),
        ({"signature": "Boom: another"}, {"signature": Change.CHANGED}),
        ({"changed": ("code",)}, {"changed": Change.CHANGED}),
        ({"left": ("gradients",)}, {"clean": Change.LOST, "left": Change.CHANGED}),
        ({"eager": "list"}, {"usable": Change.LOST, "eager": Change.CHANGED}),
        ({"copied": "list"}, {"usable": Change.LOST, "copied": Change.CHANGED}),
        ({"next": "Boom"}, {"next_right": Change.LOST, "next": Change.CHANGED}),
    ],
)
def test_what_changes(changed: dict[str, Any], expected: dict[str, Change]) -> None:
    seen = changes(ANSWERS, make_failed(), make_failed(**changed))
    assert seen == {f"{name}.pass": change for name, change in expected.items()}


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"stage": "compile"}, {"stage": Change.CHANGED}),
        ({"raised": "KeyError < Exception"}, {"raised": Change.CHANGED}),
        ({"signature": "KeyError:"}, {"signature": Change.CHANGED}),
        ({"left": ("gradients",)}, {"clean": Change.LOST, "left": Change.CHANGED}),
        ({"gradients": 1}, {"gradients": Change.WORSE}),
        ({"eager": "wrong"}, {"usable": Change.LOST, "eager": Change.CHANGED}),
        ({"again": "BoomError:"}, {"again": Change.CHANGED}),
        ({"next": "BoomError:"}, {"next_right": Change.LOST, "next": Change.CHANGED}),
    ],
)
def test_what_changes_of_a_backward_graph(
    changed: dict[str, Any], expected: dict[str, Change]
) -> None:
    assert changes(ANSWERS, make_backward(), make_backward(**changed)) == expected
