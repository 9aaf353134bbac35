"""What is lost when a workaround becomes needed, or no longer helps."""

from __future__ import annotations

import pytest

from compat.runs.answers import Change, relate
from compat.topics.workarounds.answers import ANSWERS
from compat.topics.workarounds.records import Tried

FREE = Tried(without="", with_it="")
NEEDED = Tried(without="AssertionError", with_it="")


@pytest.mark.parametrize(
    ("name", "before", "after", "expected"),
    [
        ("needed", FREE, NEEDED, Change.LOST),
        ("needed", NEEDED, FREE, Change.GAINED),
        ("works", NEEDED, Tried(without="a", with_it="b"), Change.LOST),
        ("works", FREE, Tried(without="", with_it="b"), Change.LOST),
        ("failure", NEEDED, Tried(without="TypeError", with_it=""), Change.CHANGED),
        ("failure", FREE, FREE, Change.SAME),
    ],
)
def test_what_a_record_says(name: str, before: Tried, after: Tried, expected: Change) -> None:
    (was,) = (each for each in ANSWERS[Tried](before) if each.name == name)
    (now,) = (each for each in ANSWERS[Tried](after) if each.name == name)
    assert relate(now.scale, was.value, now.value) is expected
