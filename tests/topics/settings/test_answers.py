"""What is lost when the switch breaks."""

from __future__ import annotations

from typing import Any

import pytest

from compat.runs.answers import Change, relate
from compat.topics.settings.answers import ANSWERS
from compat.topics.settings.records import Switch
from tests.topics.settings.switch_cells import make_switch


@pytest.mark.parametrize(
    ("name", "changes", "expected"),
    [
        ("finite", {"max_abs": None}, Change.LOST),
        ("same_bits", {"bitwise": False}, Change.LOST),
        ("switches", {"legacy_calls": 2}, Change.LOST),
        ("switches", {"standalone_calls": 0}, Change.LOST),
        ("switches", {"standalone_calls": None}, Change.UNKNOWN),
        ("legacy_calls", {"legacy_calls": 2}, Change.CHANGED),
        ("standalone_calls", {"standalone_calls": 3}, Change.CHANGED),
    ],
)
def test_what_a_record_says(name: str, changes: dict[str, Any], expected: Change) -> None:
    (before,) = (each for each in ANSWERS[Switch](make_switch()) if each.name == name)
    (after,) = (each for each in ANSWERS[Switch](make_switch(**changes)) if each.name == name)
    assert relate(after.scale, before.value, after.value) is expected
