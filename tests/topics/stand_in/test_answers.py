"""What is lost or worse, and what only changes, of the stand-in."""

from __future__ import annotations

from compat.runs.answers import Change
from compat.topics.stand_in.answers import ANSWERS
from compat.topics.stand_in.records import Needs, Reads
from tests.topics.saying import changes


def test_a_member_that_is_newly_needed_is_a_loss() -> None:
    before = Needs(needed=False, failure="", read=True)
    after = Needs(needed=True, failure="AttributeError: guards", read=True)
    assert changes(ANSWERS, before, after) == {"needed": Change.LOST, "failure": Change.CHANGED}


def test_a_member_that_is_newly_read_is_a_change() -> None:
    before = Needs(needed=False, failure="", read=False)
    after = Needs(needed=False, failure="", read=True)
    assert changes(ANSWERS, before, after) == {"read": Change.CHANGED}


def test_an_unknown_member_is_worse() -> None:
    before = Reads(reads=("guards",), unknown=())
    after = Reads(reads=("freeze_hints", "guards"), unknown=("freeze_hints",))
    assert changes(ANSWERS, before, after) == {"reads": Change.CHANGED, "unknown": Change.WORSE}


def test_another_member_that_it_has_is_a_change() -> None:
    before, after = Reads(reads=("guards",), unknown=()), Reads(reads=(), unknown=())
    assert changes(ANSWERS, before, after) == {"reads": Change.CHANGED}
