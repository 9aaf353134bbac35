"""How two answers relate: every kind, in both directions, and what is not known."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compat.runs.answers import (
    ENDING,
    Change,
    Ending,
    Good,
    Kind,
    Said,
    Sample,
    Scale,
    Value,
    count,
    distance,
    numbers,
    quantity,
    relate,
    text,
    verdict,
)
from compat.runs.model import Outcome

NO, OTHER = "AssertionError: no", "AssertionError: other"


def ending(outcome: str, signature: str = "") -> Ending:
    return Ending(outcome=Outcome(outcome), signature=signature)


PASS, UNSUPPORTED, FAIL = ending("pass"), ending("unsupported"), ending("fail", NO)


@pytest.mark.parametrize(
    ("before", "after", "change", "back"),
    [
        (PASS, PASS, "same", "same"),
        (PASS, FAIL, "lost", "gained"),
        (PASS, ending("error", NO), "lost", "gained"),
        (PASS, ending("crash", "crash: SIGSEGV"), "lost", "gained"),
        (PASS, ending("timeout", "timeout"), "lost", "gained"),
        (PASS, UNSUPPORTED, "lost", "gained"),
        (FAIL, FAIL, "same", "same"),
        (FAIL, ending("fail", OTHER), "worse", "worse"),
        (FAIL, ending("error", NO), "worse", "worse"),
        (FAIL, UNSUPPORTED, "changed", "worse"),
        (PASS, ending("skip"), "unknown", "unknown"),
        (PASS, ending("not-run"), "unknown", "unknown"),
        (FAIL, ending("not-run"), "unknown", "unknown"),
        (ending("not-run"), ending("not-run"), "unknown", "unknown"),
    ],
)
def test_how_a_cell_ended(before: Ending, after: Ending, change: str, back: str) -> None:
    assert relate(ENDING, before, after) is Change(change)
    assert relate(ENDING, after, before) is Change(back)


def scale(said: Said) -> Scale:
    return said.scale


COPIES = scale(count("copies", 1))
HANDLES = scale(count("handles", 1, good=Good.MORE))
PIECES = scale(count("pieces", 1, good=Good.NEITHER))
PEAK = scale(quantity("peak", 1.0, noise=0.5))
SPEED = scale(quantity("speed", 1.0, noise=0.5, good=Good.MORE))
WIDTH = scale(quantity("width", 1.0, noise=0.5, good=Good.NEITHER))
WORKS = scale(verdict("works", True))
NEEDED = scale(verdict("needed", True, good=Good.NO))
READ = scale(verdict("read", True, good=Good.NEITHER))
TEXT = scale(text("signature", "()"))


@pytest.mark.parametrize(
    ("how", "before", "after", "change", "back"),
    [
        (WORKS, True, True, "same", "same"),
        (WORKS, True, False, "lost", "gained"),
        (NEEDED, False, True, "lost", "gained"),
        (NEEDED, True, True, "same", "same"),
        (READ, False, True, "changed", "changed"),
        (COPIES, 1, 1, "same", "same"),
        (COPIES, 0, 1, "worse", "better"),
        (COPIES, 1, 4, "worse", "better"),
        (HANDLES, 4, 3, "worse", "better"),
        (PIECES, 1, 2, "changed", "changed"),
        (PEAK, 100, 150, "same", "same"),
        (PEAK, 100, 151, "worse", "better"),
        (PEAK, 100, 300.5, "worse", "better"),
        (PEAK, 0, 1, "worse", "better"),
        (PEAK, 0, 0, "same", "same"),
        (SPEED, 100, 151, "better", "worse"),
        (WIDTH, 100, 151, "changed", "changed"),
        (TEXT, "(a)", "(a)", "same", "same"),
        (TEXT, "(a)", "(a, b)", "changed", "changed"),
        (WORKS, None, True, "unknown", "unknown"),
        (COPIES, 1, None, "unknown", "unknown"),
        (TEXT, None, None, "unknown", "unknown"),
        (COPIES, 1, "one", "unknown", "unknown"),
        (WORKS, True, 1, "unknown", "unknown"),
        (TEXT, "a", 1, "unknown", "unknown"),
        (TEXT, "a", (), "unknown", "unknown"),
        (ENDING, PASS, "pass", "unknown", "unknown"),
    ],
)
def test_every_other_kind(
    how: Scale, before: Value | None, after: Value | None, change: str, back: str
) -> None:
    assert relate(how, before, after) is Change(change)
    assert relate(how, after, before) is Change(back)


def sample(
    *values: float | None, norm: float | None = 2.0, shape: tuple[int, ...] = (4,)
) -> Sample:
    return Sample(shape=shape, norm=norm, values=values)


OUTPUTS = scale(numbers("outputs", (), noise=1e-3))


@pytest.mark.parametrize(
    ("before", "after", "change"),
    [
        # The root mean square of four elements of norm 2 is 1.
        ((sample(1.0, 1.0),), (sample(1.0, 1.0),), "same"),
        ((sample(1.0, 1.0),), (sample(1.0, 1.0009),), "same"),
        ((sample(1.0, 1.0),), (sample(1.0, 1.0011),), "changed"),
        ((sample(1.0, norm=200.0),), (sample(1.09, norm=200.0),), "same"),
        ((sample(1.0),), (sample(1.0, shape=(2, 2)),), "changed"),
        ((sample(1.0),), (sample(1.0), sample(1.0)), "changed"),
        ((sample(1.0),), (sample(1.0, 1.0),), "changed"),
        ((sample(1.0),), (sample(None),), "changed"),
        ((sample(1.0),), (sample(1.0, norm=None),), "changed"),
        ((sample(0.0, norm=0.0),), (sample(0.0, norm=0.0),), "same"),
        ((sample(None),), (sample(None),), "same"),
        ((sample(None, norm=None),), (sample(None, norm=None),), "same"),
        ((), (), "same"),
    ],
)
def test_numbers(before: tuple[Sample, ...], after: tuple[Sample, ...], change: str) -> None:
    assert relate(OUTPUTS, before, after) is Change(change)
    assert relate(OUTPUTS, after, before) is Change(change)


def test_a_distance_is_in_units_of_the_root_mean_square() -> None:
    assert distance((sample(1.0, norm=20.0),), (sample(2.0, norm=20.0),)) == pytest.approx(0.1)
    assert distance((sample(1.0),), ()) is None


def test_only_what_is_lost_or_worse_alarms() -> None:
    assert {change for change in Change if change.alarms} == {Change.LOST, Change.WORSE}


FINITE = st.floats(-1e6, 1e6)
SAMPLES = st.builds(
    Sample,
    shape=st.tuples(st.integers(0, 9), st.integers(0, 9)),
    norm=st.none() | FINITE.map(abs),
    values=st.lists(st.none() | FINITE, max_size=3).map(tuple),
)
GOOD = st.sampled_from(Good)
OF_KIND: Mapping[Kind, st.SearchStrategy[Value]] = {
    Kind.ENDING: st.builds(Ending, outcome=st.sampled_from(Outcome), signature=st.text(max_size=2)),
    Kind.VERDICT: st.booleans(),
    Kind.COUNT: st.integers(-3, 9),
    Kind.QUANTITY: FINITE,
    Kind.TEXT: st.text(max_size=2),
    Kind.NUMBERS: st.lists(SAMPLES, max_size=2).map(tuple),
}


@st.composite
def answers(draw: st.DrawFn) -> tuple[Scale, Value | None, Value | None]:
    kind = draw(st.sampled_from(Kind))
    noise = draw(st.floats(0, 2)) if kind in {Kind.QUANTITY, Kind.NUMBERS} else 0.0
    value = st.none() | OF_KIND[kind]
    return Scale(kind=kind, good=draw(GOOD), noise=noise), draw(value), draw(value)


@given(answers())
def test_an_answer_against_itself_alarms_nobody(case: tuple[Scale, Value, Value]) -> None:
    how, value, _ = case
    change = relate(how, value, value)
    unknown = value is None or (isinstance(value, Ending) and not value.outcome.known)
    assert change is (Change.UNKNOWN if unknown else Change.SAME)


INVERSE = {
    Change.LOST: {Change.GAINED},
    Change.BETTER: {Change.WORSE},
    Change.CHANGED: {Change.CHANGED, Change.WORSE},
    Change.SAME: {Change.SAME},
    Change.UNKNOWN: {Change.UNKNOWN},
}


@given(answers())
def test_the_way_back_is_the_inverse(case: tuple[Scale, Value | None, Value | None]) -> None:
    how, before, after = case
    change, back = relate(how, before, after), relate(how, after, before)
    assert change not in INVERSE or back in INVERSE[change]
    assert (change is Change.LOST) is (back is Change.GAINED)
    assert (change is Change.UNKNOWN) is (back is Change.UNKNOWN)
    # What fails in another way is worse both ways.
    if how.kind is not Kind.ENDING:
        assert (change is Change.WORSE) is (back is Change.BETTER)
