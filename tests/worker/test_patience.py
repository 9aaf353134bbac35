"""What hangs, what runs away, and what is only slow."""

from __future__ import annotations

import pytest

from compat.worker.patience import Bounds, Patience

BOUNDS = Bounds.of(60)


def verdict(usage: list[tuple[float, float]], bounds: Bounds = BOUNDS) -> str:
    """The first verdict over what was used by when; empty if there is none."""
    patience = Patience(bounds, 0)
    return next(filter(None, (patience.verdict(now, used) for now, used in usage)), "")


def test_what_is_slow_goes_on() -> None:
    """Beside eight others on two cores: a fifth of a processor, for five minutes."""
    assert verdict([(second, second / 5) for second in range(299)]) == ""


def test_what_waits_hangs() -> None:
    reason = verdict([(second, min(second, 3)) for second in range(100)])
    assert reason == (
        "hung: no processor time for 60 s, 3.0 s of processor time in 64 s of wall clock"
    )


def test_a_thread_that_polls_is_no_work() -> None:
    assert verdict([(second, second / 1000) for second in range(100)]).startswith("hung: ")


def test_what_waits_for_less_than_that_does_not_hang() -> None:
    assert verdict([(second, second // 50) for second in range(500)]) == ""


def test_what_computes_for_ever_runs_away() -> None:
    reason = verdict([(second, 2 * second) for second in range(100)])
    assert reason == "ran away: 62.0 s of processor time in 31 s of wall clock"


def test_the_wall_clock_is_behind_it() -> None:
    """It does a little, for ever."""
    reason = verdict([(second, second / 50) for second in range(2000)])
    assert reason == "came to no end: 24.0 s of processor time in 1201 s of wall clock"


def test_what_an_orphan_used_is_not_missed() -> None:
    """Most of the time was used by a process that nobody waited for, and is gone with it."""
    used = [(second, float(second)) for second in range(40)]
    less = [(40 + second, second / 2) for second in range(40)]
    assert verdict(used + less) == ""


@pytest.mark.parametrize("used_s", [0.0, 1000.0])
def test_what_was_used_before_does_not_count(used_s: float) -> None:
    patience = Patience(BOUNDS, 0, used_s)
    assert patience.verdict(59, used_s + 59) == ""
    assert patience.verdict(61, used_s + 61).startswith("ran away: 61.0 s")
