"""What is lost when a call on an odd machine goes otherwise."""

from __future__ import annotations

import pytest

from compat.runs.answers import Change
from compat.topics.machines.answers import ANSWERS
from compat.topics.machines.records import Calls, Went
from tests.topics.machines.call_cells import COMPILED, EAGER, RAISED, WRONG
from tests.topics.saying import changes


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (EAGER, RAISED, {"works.fork": Change.LOST, "how.fork": Change.CHANGED}),
        (RAISED, COMPILED, {"works.fork": Change.GAINED, "how.fork": Change.CHANGED}),
        (COMPILED, WRONG, {"works.fork": Change.LOST}),
        (EAGER, COMPILED, {"how.fork": Change.CHANGED}),
        (EAGER, EAGER, {}),
    ],
)
def test_what_changes(before: Went, after: Went, expected: dict[str, Change]) -> None:
    was = Calls(went={"fork": before, "thread": COMPILED})
    now = Calls(went={"fork": after, "thread": COMPILED})
    assert changes(ANSWERS, was, now) == expected


def test_what_is_odd_becomes_the_name_of_an_answer() -> None:
    with pytest.raises(ValueError, match="expected names"):
        Calls(went={"no user": COMPILED})
