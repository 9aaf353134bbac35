"""What is lost, and what only changes, of the tracing context."""

from __future__ import annotations

from compat.runs.answers import Change
from compat.topics.tracing_context.answers import ANSWERS
from compat.topics.tracing_context.records import Fallback, Hidden, Needed, Reentrant, Restored
from tests.topics.saying import changes


def test_a_workaround_that_is_needed_again_is_a_loss() -> None:
    fine = Needed(needed=False, failure="")
    crash = Needed(needed=True, failure="AssertionError: another fake mode")
    assert changes(ANSWERS, fine, crash) == {"needed": Change.LOST, "failure": Change.CHANGED}
    assert changes(ANSWERS, crash, fine)["needed"] is Change.GAINED


def test_a_context_that_comes_back_as_a_copy_is_told_as_that() -> None:
    before = Restored(hidden=True, restored=True)
    after = Restored(hidden=True, restored=False)
    assert changes(ANSWERS, before, after) == {"restored": Change.LOST}


def test_a_context_that_is_no_longer_hidden_is_a_loss() -> None:
    before = Restored(hidden=True, restored=True)
    after = Restored(hidden=False, restored=True)
    assert changes(ANSWERS, before, after) == {"hidden": Change.LOST}


def test_outputs_that_are_no_longer_finite_are_lost() -> None:
    assert changes(ANSWERS, Hidden(max_abs=0.0), Hidden(max_abs=None)) == {"finite": Change.LOST}


def test_another_strategy_is_a_change() -> None:
    seen = changes(ANSWERS, Fallback(chosen="tracing"), Fallback(chosen="thread"))
    assert seen == {"chosen": Change.CHANGED}


def test_a_context_that_is_left_behind_is_a_loss() -> None:
    seen = changes(ANSWERS, Reentrant(left_behind=False), Reentrant(left_behind=True))
    assert seen == {"left_behind": Change.LOST}
