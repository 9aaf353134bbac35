"""How two answers relate: every kind, in both directions, and what is not known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

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
        (scale(numbers("outputs", (), noise=0.0)), (), "a", "unknown", "unknown"),
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


def test_where_no_change_is_noise_the_same_numbers_are_the_same() -> None:
    exact = scale(numbers("outputs", (), noise=0.0))
    assert relate(exact, (sample(1.0),), (sample(1.0),)) is Change.SAME
    assert relate(exact, (sample(1.0),), (sample(1.0 + 1e-15),)) is Change.CHANGED


def test_a_distance_is_in_units_of_the_root_mean_square() -> None:
    assert distance((sample(1.0, norm=20.0),), (sample(2.0, norm=20.0),)) == pytest.approx(0.1)
    assert distance((sample(1.0),), ()) is None
    # The larger one of the two sides.
    assert distance((sample(1.0, norm=2.0),), (sample(2.0, norm=20.0),)) == pytest.approx(0.1)
    assert distance((sample(1.0, norm=20.0),), (sample(2.0, norm=2.0),)) == pytest.approx(0.1)
    # Of the sampled values the one that changed most, in whichever output it is.
    many, few = sample(1.0, 4.0, 2.0), sample(1.0)
    assert distance((many, few), (sample(1.0, 7.0, 4.0), few)) == pytest.approx(3.0)
    assert distance((few, many), (few, sample(1.0, 7.0, 4.0))) == pytest.approx(3.0)


@pytest.mark.parametrize(
    ("before", "after", "unit"),
    [
        (sample(1.0, norm=1.0, shape=()), sample(3.0, norm=3.0, shape=()), 3.0),
        (sample(1.0, norm=3.0, shape=(9,)), sample(2.0, norm=3.0, shape=(9,)), 1.0),
        # Of an output without elements, and where nothing is known of its size.
        (sample(1.0, norm=2.0, shape=(0, 4)), sample(2.0, norm=2.0, shape=(0, 4)), 2.0),
        (sample(1.0, norm=0.0), sample(3.0, norm=0.0), 1.0),
        (sample(1.0, norm=None), sample(3.0, norm=None), 1.0),
    ],
)
def test_the_unit_of_a_distance(before: Sample, after: Sample, unit: float) -> None:
    assert before.values[0] is not None
    assert after.values[0] is not None
    moved = abs(before.values[0] - after.values[0])
    assert distance((before,), (after,)) == pytest.approx(moved / unit)


def test_what_is_said_and_how_it_is_to_be_read() -> None:
    """By default yes is good, less is better, and nothing has a unit."""
    counted = Scale(kind=Kind.COUNT, good=Good.LESS, unit="")
    measured = Scale(kind=Kind.QUANTITY, good=Good.LESS, noise=0.5, unit="")
    assert [
        verdict("a", True),
        count("b", 3),
        count("b", None, good=Good.MORE, unit="B"),
        quantity("c", 1.5, noise=0.5),
        quantity("c", None, noise=0.5, good=Good.MORE, unit="s"),
        text("d", "x"),
        numbers("e", [sample(1.0)], noise=0.1),
        numbers("e", None, noise=0.1),
    ] == [
        Said(name="a", scale=Scale(kind=Kind.VERDICT, good=Good.YES), value=True),
        Said(name="b", scale=counted, value=3),
        Said(name="b", scale=replace(counted, good=Good.MORE, unit="B"), value=None),
        Said(name="c", scale=measured, value=1.5),
        Said(name="c", scale=replace(measured, good=Good.MORE, unit="s"), value=None),
        Said(name="d", scale=Scale(kind=Kind.TEXT), value="x"),
        Said(name="e", scale=Scale(kind=Kind.NUMBERS, noise=0.1), value=(sample(1.0),)),
        Said(name="e", scale=Scale(kind=Kind.NUMBERS, noise=0.1), value=None),
    ]


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
