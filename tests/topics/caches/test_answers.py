"""What is lost when a cache is used where it must not be, or no longer where it may."""

from __future__ import annotations

from typing import Any

import pytest

from compat.runs.answers import Change
from compat.topics.caches.answers import ANSWERS
from compat.topics.caches.records import Again, Starts
from tests.topics.caches.cache_cells import HIT, MISS, RAISED, STALE, make_keys
from tests.topics.saying import changes


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        (
            {"differ": {"constant": STALE}},
            {
                "key_differs.constant": Change.LOST,
                "right.constant": Change.LOST,
                "how.constant": Change.CHANGED,
            },
        ),
        (
            {"differ": {"constant": RAISED}},
            {
                "key_differs.constant": Change.UNKNOWN,
                "right.constant": Change.LOST,
                "how.constant": Change.CHANGED,
            },
        ),
        (
            {"same": {"comment": MISS}},
            {"key_same.comment": Change.LOST, "how.comment": Change.CHANGED},
        ),
        ({"free": {"lora_buffer": MISS}}, {"how.lora_buffer": Change.CHANGED}),
        ({"free": {"lora_buffer": STALE}}, {"right.lora_buffer": Change.LOST}),
    ],
)
def test_what_keys_say(changed: dict[str, Any], expected: dict[str, Change]) -> None:
    assert changes(ANSWERS, make_keys(), make_keys(**changed)) == expected


@pytest.mark.parametrize(
    ("after", "expected"),
    [
        (MISS, {"reused.whole": Change.LOST, "how.whole": Change.CHANGED}),
        (STALE, {"right.whole": Change.LOST}),
        (
            RAISED,
            {
                "reused.whole": Change.LOST,
                "right.whole": Change.LOST,
                "how.whole": Change.CHANGED,
            },
        ),
    ],
)
def test_what_starts_say(after: Again, expected: dict[str, Change]) -> None:
    before = Starts(starts={"whole": HIT})
    assert changes(ANSWERS, before, Starts(starts={"whole": after})) == expected


def test_names_become_names_of_answers() -> None:
    with pytest.raises(ValueError, match="expected names"):
        Starts(starts={"no compiler": HIT})
    with pytest.raises(ValueError, match="expected names"):
        make_keys(same={"a path": HIT})
