"""What is lost or worse, and what only changes, of a private name."""

from __future__ import annotations

from compat.runs.answers import Change
from compat.topics.surface.answers import ANSWERS
from compat.topics.surface.records import Name
from tests.topics.saying import changes

THERE = Name(there=True, signature="function(path, format=…)", refused=())
GONE = Name(there=False, signature="", refused=())


def test_a_name_that_is_gone_is_lost() -> None:
    unknown = {"signature": Change.UNKNOWN, "refused": Change.UNKNOWN}
    assert changes(ANSWERS, THERE, GONE) == {"there": Change.LOST, **unknown}
    assert changes(ANSWERS, GONE, THERE) == {"there": Change.GAINED, **unknown}


def test_another_type_is_a_change() -> None:
    before = Name(there=True, signature="value of type _thread._local", refused=())
    after = Name(there=True, signature="value of type torch._guards._TLSStorage", refused=())
    assert changes(ANSWERS, before, after) == {"signature": Change.CHANGED}


def test_a_parameter_that_is_refused_is_worse() -> None:
    after = Name(there=True, signature="function(path)", refused=("format",))
    assert changes(ANSWERS, THERE, after) == {"signature": Change.CHANGED, "refused": Change.WORSE}
