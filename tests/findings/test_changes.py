"""Every way in which two sides relate, and the totals that have to add up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compat.findings.changes import Comparison, Difference, Group, Pair, compare, differing
from compat.runs.answers import Change, Ending, Kind, quantity
from compat.runs.history import Column, Entry, History, Told
from compat.runs.ids import AnswerId, BuildId, CheckId
from compat.runs.model import Attempt, Cell, Outcome, Run, Status
from tests.conftest import make_build, make_cell
from tests.findings.making import NO, OTHER, bad, copies, name, run_of, since, with_stable, work
from tests.runs.test_answers import COPIES, INVERSE, PEAK
from tests.runs.test_history import CHECKS, SCALES, VALUES, entry

OK = Outcome.PASS


def told(comparison: Comparison) -> dict[str, str]:
    """By answer and build: how it changed, of all that is no longer the same."""
    listed = sum(len(group.differences) for group in comparison.groups)
    known = [group for group in comparison.groups if group.change is not Change.UNKNOWN]
    counted = sum(
        number
        for change, number in comparison.totals.items()
        if change not in {Change.SAME, Change.UNKNOWN}
    )
    assert sum(len(group.differences) for group in known) == counted
    assert listed - counted <= comparison.totals[Change.UNKNOWN]
    assert comparison.answers == sum(comparison.totals.values())
    return {
        f"{each.answer}@{each.new.build}": each.change.value
        for group in comparison.groups
        for each in group.differences
    }


def only(comparison: Comparison, change: Change) -> Group:
    (group,) = [each for each in comparison.groups if each.change is change]
    return group


FLAKY: Any = {"first": Attempt(outcome=Outcome.CRASH, reason="SIGSEGV")}


@pytest.mark.parametrize(
    ("before", "now", "change"),
    [
        (make_cell("2.13.0", "a.b"), bad("2.13.0", "a.b"), "lost"),
        (make_cell("2.13.0", "a.b"), make_cell("2.13.0", "a.b", Outcome.UNSUPPORTED), "lost"),
        (bad("2.13.0", "a.b"), bad("2.13.0", "a.b"), None),
        (bad("2.13.0", "a.b"), bad("2.13.0", "a.b", OTHER), "worse"),
        (bad("2.13.0", "a.b"), make_cell("2.13.0", "a.b"), "gained"),
        (bad("2.13.0", "a.b"), make_cell("2.13.0", "a.b", Outcome.UNSUPPORTED), "changed"),
        (bad("2.13.0", "a.b"), make_cell("2.13.0", "a.b", Outcome.NOT_RUN), "unknown"),
        (make_cell("2.13.0", "a.b"), make_cell("2.13.0", "a.b", Outcome.NOT_RUN), "unknown"),
        (make_cell("2.13.0", "a.b"), make_cell("2.13.0", "a.b", Outcome.SKIP), "unknown"),
        (make_cell("2.13.0", "a.b"), make_cell("2.13.0", "a.b", **FLAKY), None),
        (make_cell("2.13.0", "a.b"), make_cell("2.13.0", "a.b"), None),
        (
            make_cell("2.13.0", "a.b", Outcome.CRASH, reason="SIGSEGV at 0x12"),
            make_cell("2.13.0", "a.b", Outcome.CRASH, reason="SIGSEGV at 0x34"),
            None,
        ),
    ],
)
def test_how_a_cell_ends(before: Cell, now: Cell, change: str | None) -> None:
    comparison = since(run_of(20, before), run_of(21, now))
    assert told(comparison).get("a.b.outcome@2.13.0-cpu") == change
    assert bool(comparison.alarms) is (change in {"lost", "worse"})


def test_what_was_never_known_is_unknown_and_counted() -> None:
    silent = make_cell("2.13.0", "a.b", Outcome.NOT_RUN)
    comparison = since(run_of(20, silent), run_of(21, bad("2.13.0", "a.b")))
    assert told(comparison) == {"a.b.outcome@2.13.0-cpu": "unknown"}
    assert comparison.totals[Change.UNKNOWN] == 1
    # Nor is it told since when.
    group = only(comparison, Change.UNKNOWN)
    assert (group.first, group.last) == (None, None)
    # Unknown on both sides is worth no line, and is counted all the same.
    comparison = since(run_of(20, silent), run_of(21, silent))
    assert told(comparison) == {}
    assert comparison.totals[Change.UNKNOWN] == 1


def test_an_answer_of_a_cell_that_passes_either_way() -> None:
    old = [copies("2.13.0", 1), name("2.13.0", "f(a)"), work("2.13.0", 1000)]
    new = [copies("2.13.0", 4), name("2.13.0", "f(a, b)"), work("2.13.0", 3000)]
    comparison = since(run_of(20, *old), run_of(21, *new))
    assert told(comparison) == {
        "donation.copies[standalone].copies@2.13.0-cpu": "worse",
        "surface.name[torch.x:f].signature@2.13.0-cpu": "changed",
        "cost.work[standalone].calls@2.13.0-cpu": "worse",
    }
    assert [group.about for group in comparison.alarms] == [
        "donation.copies.copies",
        "cost.work.calls",
    ]
    (back,) = [
        each for each in since(run_of(20, *new), run_of(21, *old)).groups if "work" in each.about
    ]
    assert back.change is Change.BETTER


def test_a_change_comes_with_both_values_its_builds_and_its_cells() -> None:
    nights = [
        run_of(day, copies("2.13.0", number), copies("2.14.1", 1))
        for day, number in ((18, 1), (19, 1), (20, 1), (21, 4))
    ]
    group = only(since(*nights), Change.WORSE)
    assert (group.before, group.after) == (1, 4)
    assert group.builds == ["2.13.0"]
    assert group.cells == ["donation.copies[standalone]@2.13.0-cpu"]
    assert group.first is not None
    assert group.last is not None
    # 2.14.1 comes after it, so that it says nothing of since when.
    assert (group.first.build, group.first.date) == ("2.13.0-cpu", "2026-11-21")
    assert (group.last.build, group.last.date) == ("2.13.0-cpu", "2026-11-20")


def test_of_two_builds_of_one_version_that_were_there_neither_is_the_one_before() -> None:
    local = [
        make_build(name, channel="local", version="2.13.0+cu130") for name in ("local-a", "local-b")
    ]
    run = run_of(
        21,
        *(copies("2.13.0", 1), copies("local-a", 4), copies("local-b", 1)),
        builds=[make_build("2.13.0"), *local],
    )
    group = only(with_stable(run), Change.WORSE)
    assert group.first is not None
    assert group.last is not None
    assert (group.first.build, group.last.build) == ("local-a-cpu", "2.13.0-cpu")


def test_a_build_is_followed_by_itself_also_where_an_older_one_lost_it_too() -> None:
    before = run_of(20, name("2.14.1", "f()"), name("2.16.0", "f()"))
    now = run_of(21, name("2.14.1", "f()"), name("2.15.0", ""), name("2.16.0", ""))
    (group,) = since(before, now).alarms
    assert (group.about, group.builds) == ("surface.name.there", ["2.16.0"])
    assert group.last is not None
    assert (group.last.build, group.last.date) == ("2.16.0-cpu", "2026-11-20")


def alike(outcome: Outcome, builds: Sequence[str], **changed: Any) -> list[Cell]:
    return [
        make_cell(build, "a.b", outcome, params={"model": model}, **changed)
        for build in builds
        for model in ("mlp", "block")
    ]


def test_failures_are_grouped_by_signature_across_builds_and_probes() -> None:
    builds = ("2.12.1", "2.13.0")
    before = run_of(20, *alike(OK, builds), make_cell("2.13.0", "a.c"), make_cell("2.13.0", "a.d"))
    now = run_of(
        21,
        *alike(Outcome.FAIL, builds, signature=NO),
        bad("2.13.0", "a.c"),
        bad("2.13.0", "a.d", OTHER),
    )
    comparison = since(before, now)
    assert {(group.after, len(group.cells)) for group in comparison.alarms} == {
        (Ending(outcome=Outcome.FAIL, signature=NO), 5),
        (Ending(outcome=Outcome.FAIL, signature=OTHER), 1),
    }
    assert comparison.totals[Change.LOST] == 6
    assert comparison.alarms[0].builds == list(builds)


def test_answers_are_grouped_by_what_they_say_and_noisy_ones_by_how_they_change() -> None:
    def night(day: int, *numbers: int) -> Run:
        paths = ("standalone", "aot", "donated")
        counted = [copies("2.13.0", n, path) for n, path in zip(numbers, paths, strict=True)]
        worked = [work("2.13.0", n * 1000, path) for n, path in zip(numbers, paths, strict=True)]
        return run_of(day, *counted, *worked)

    comparison = since(night(20, 1, 1, 1), night(21, 2, 2, 3))
    counted = [group for group in comparison.alarms if group.about == "donation.copies.copies"]
    assert [(group.after, len(group.cells)) for group in counted] == [(2, 2), (3, 1)]
    (worked,) = [group for group in comparison.alarms if group.about == "cost.work.calls"]
    assert (worked.before, worked.after, len(worked.cells)) == (None, None, 3)


def test_compared_is_what_both_sides_were_asked() -> None:
    full = run_of(20, make_cell("2.13.0", "a.b"), copies("2.13.0", 1), copies("2.13.0", 1, "aot"))
    default = run_of(21, make_cell("2.13.0", "a.b"), make_cell("2.13.0", "a.new"))
    comparison = since(full, default)
    assert told(comparison) == {}
    # The build as a whole, and a.b.
    assert comparison.answers == comparison.totals[Change.SAME] == 2
    assert (comparison.only_old, comparison.only_new) == (4, 1)
    back = since(run_of(20, *default.cells), run_of(21, *full.cells))
    assert (back.only_old, back.only_new) == (1, 4)


def test_a_check_that_one_side_was_not_asked_is_not_compared_although_its_probe_was() -> None:
    both, more = copies("2.13.0", 1), copies("2.13.0", 1, "aot")
    fewer = since(run_of(20, both, more), run_of(21, both))
    assert (fewer.only_old, fewer.only_new, fewer.totals[Change.UNKNOWN]) == (2, 0, 0)
    more_now = since(run_of(20, both), run_of(21, both, more))
    assert (more_now.only_old, more_now.only_new, more_now.totals[Change.UNKNOWN]) == (0, 2, 0)


def test_an_answer_that_its_cell_no_longer_gives_is_unknown_and_its_outcome_is_lost() -> None:
    broken = make_cell("2.13.0", "donation.copies", Outcome.ERROR, params={"path": "standalone"})
    comparison = since(run_of(20, copies("2.13.0", 1)), run_of(21, broken))
    assert told(comparison) == {"donation.copies[standalone].outcome@2.13.0-cpu": "lost"}
    assert comparison.totals[Change.UNKNOWN] == 1


def test_a_build_that_broke_is_lost_as_a_whole_and_its_cells_are_unknown() -> None:
    broken = make_build("2.13.0", status=Status.BROKEN, reason="could not be imported: no symbol")
    before = run_of(20, make_cell("2.13.0", "a.b"))
    now = run_of(21, make_cell("2.13.0", "a.b", Outcome.NOT_RUN), builds=[broken])
    assert told(since(before, now)) == {
        "build.whole.outcome@2.13.0-cpu": "lost",
        "a.b.outcome@2.13.0-cpu": "unknown",
    }
    assert not since(before, now, run_of(22, *now.cells, builds=[broken])).alarms


def test_a_night_on_which_a_check_was_not_run_is_not_the_last_one_before() -> None:
    silent = make_cell("2.13.0", "a.b", Outcome.NOT_RUN)
    nights = [make_cell("2.13.0", "a.b"), silent, bad("2.13.0", "a.b")]
    (group,) = since(*(run_of(day, cell) for day, cell in enumerate(nights, 20))).groups
    # The night before says nothing of it; the one before that does.
    assert group.change is Change.LOST
    assert group.first is not None
    assert group.last is not None
    assert (group.first.date, group.last.date) == ("2026-11-22", "2026-11-20")


def test_what_was_known_last_is_told_with_its_night() -> None:
    broken = make_cell("2.13.0", "donation.copies", Outcome.ERROR, params={"path": "standalone"})
    nights = [copies("2.13.0", 1), broken, copies("2.13.0", 4)]
    comparison = since(*(run_of(day, cell) for day, cell in enumerate(nights, 20)))
    group = only(comparison, Change.WORSE)
    assert group.last is not None
    assert group.last.date == "2026-11-20"


# Of answers that stand in columns alone.

SIDES = [
    Column(
        run=f"2026-11-{day}T050000.000Z",
        date=f"2026-11-{day}",
        build=BuildId("2.13.0-cpu"),
        version="2.13.0",
        channel="stable",
        git_version="",
    )
    for day in (20, 21)
]
PROBE = CheckId("a.b")


def sides(*told: dict[str, Told]) -> Pair:
    old, new = (
        Entry(
            column=column,
            endings={PROBE: Ending(outcome=OK)},
            answers={AnswerId.of(PROBE, name): each for name, each in answers.items()},
        )
        for column, answers in zip(SIDES, told, strict=True)
    )
    return Pair(old=old, new=new)


def of_sides(pair: Pair, *known: str, history: Sequence[Entry] = ()) -> Comparison:
    return compare(
        "old",
        "new",
        [pair],
        history=History(history),
        expected=lambda difference: difference.answer.name in known,
    )


def test_what_a_comparison_says_of_itself() -> None:
    pair = sides({}, {})
    comparison = of_sides(pair)
    assert (comparison.old, comparison.new) == ("old", "new")
    assert comparison.pairs == (("2.13.0", "2.13.0"),)
    assert comparison.lines == (("cpu", ""),)
    assert comparison.alone == ()
    assert comparison.failed_controls == {}
    assert comparison.totals == {change: int(change is Change.SAME) for change in Change}
    assert (comparison.only_old, comparison.only_new, comparison.groups) == (0, 0, ())


def test_a_group_has_all_that_its_differences_share() -> None:
    pair = sides({"copies": Told(COPIES, 1)}, {"copies": Told(COPIES, 4)})
    name = AnswerId.of(PROBE, "copies")
    difference = Difference(
        answer=name,
        scale=COPIES,
        before=1,
        after=4,
        change=Change.WORSE,
        expected=False,
        old=pair.old.column,
        new=pair.new.column,
    )
    assert differing(pair) == [difference]
    group = Group(
        change=Change.WORSE,
        expected=False,
        about="a.b.copies",
        scale=COPIES,
        before=1,
        after=4,
        differences=(difference,),
    )
    # Without a history nobody knows since when.
    assert of_sides(pair).groups == (group,)
    assert of_sides(pair, history=[pair.old, pair.new]).groups == (
        replace(group, first=pair.new.column, last=pair.old.column),
    )
    known = replace(group, expected=True, differences=(replace(difference, expected=True),))
    assert of_sides(pair, "copies").groups == (known,)


def test_what_is_better_is_not_marked_as_expected() -> None:
    pair = sides({"copies": Told(COPIES, 4)}, {"copies": Told(COPIES, 1)})
    (group,) = of_sides(pair, "copies").groups
    assert (group.change, group.expected) == (Change.BETTER, False)


def test_a_single_measurement_is_told_with_its_values() -> None:
    pair = sides({"peak": Told(PEAK, 100.0)}, {"peak": Told(PEAK, 300.0)})
    (group,) = of_sides(pair).groups
    assert (group.before, group.after) == (100.0, 300.0)


def test_a_value_is_read_as_it_is_read_now() -> None:
    """Once more of a change counts as noise, what lies within it is no change."""
    strict, lenient = (quantity("peak", 1.0, noise=noise).scale for noise in (0.1, 5.0))
    before, after = {"peak": Told(strict, 100.0)}, {"peak": Told(lenient, 300.0)}
    assert of_sides(sides(before, after)).groups == ()
    back = sides({"peak": Told(lenient, 100.0)}, {"peak": Told(strict, 300.0)})
    assert only(of_sides(back), Change.WORSE).scale == strict


def test_what_became_unknown_hides_nothing_that_comes_after_it() -> None:
    unknown, four = Told(COPIES, None), Told(COPIES, 4)
    before = {"a": Told(COPIES, 1), "b": Told(COPIES, 1)}
    (group,) = of_sides(sides(before, {"a": unknown, "b": four})).groups
    assert (group.about, group.change) == ("a.b.b", Change.WORSE)
    assert [each.answer.name for each in differing(sides(before, {"a": unknown, "b": four}))] == [
        "b"
    ]


# Properties, over all that a column may hold.


def compared(old: Entry, new: Entry) -> Comparison:
    return compare(
        "old",
        "new",
        [Pair(old=old, new=new)],
        history=History([old, new]),
        expected=lambda _: False,
    )


@st.composite
def full(draw: st.DrawFn) -> Entry:
    """A column in which every check was asked for, most passed, and these answer all they can."""
    outcomes = st.just(OK) | st.sampled_from(Outcome)
    endings = {check: Ending(outcome=draw(outcomes)) for check in CHECKS}
    answers = {
        AnswerId.of(check, name): Told(scale, draw(VALUES[scale.kind]))
        for check in CHECKS
        for name, scale in SCALES.items()
        if endings[check].outcome is OK
    }
    return replace(draw(entry()), endings=endings, answers=answers)


@given(entry() | full())
def test_a_build_against_itself_shows_nothing(one: Entry) -> None:
    comparison = compared(one, one)
    assert {change for change, number in comparison.totals.items() if number} <= {
        Change.SAME,
        Change.UNKNOWN,
    }
    assert (comparison.only_old, comparison.only_new) == (0, 0)
    assert comparison.groups == ()
    assert differing(Pair(old=one, new=one)) == []
    assert comparison.answers == len(one.endings) + len(one.answers)


@given(entry() | full(), entry() | full())
def test_the_way_back_is_the_inverse(one: Entry, other: Entry) -> None:
    other = replace(other, column=one.column)
    there, back = compared(one, other), compared(other, one)
    assert there.totals[Change.LOST] == back.totals[Change.GAINED]
    assert there.totals[Change.GAINED] == back.totals[Change.LOST]
    for change in (Change.SAME, Change.UNKNOWN):
        assert there.totals[change] == back.totals[change]
    assert (there.answers, there.only_old, there.only_new) == (
        back.answers,
        back.only_new,
        back.only_old,
    )
    ways = [
        {each.answer: each for each in differing(Pair(old=old, new=new))}
        for old, new in ((one, other), (other, one))
    ]
    assert ways[0].keys() == ways[1].keys()
    for answer, difference in ways[0].items():
        inverse = ways[1][answer]
        assert (difference.before, difference.after) == (inverse.after, inverse.before)
        assert inverse.change in INVERSE.get(difference.change, set(Change))
        if difference.scale.kind is not Kind.ENDING:
            assert (difference.change is Change.WORSE) is (inverse.change is Change.BETTER)


@given(entry(), st.lists(entry(), max_size=3))
def test_totals_are_those_of_the_pairs(first: Entry, others: list[Entry]) -> None:
    pairs = [Pair(old=first, new=replace(each, column=first.column)) for each in [first, *others]]
    whole = compare(
        "old", "new", pairs, history=History([first, *others]), expected=lambda _: False
    )
    parts = [compared(pair.old, pair.new) for pair in pairs]
    for change in Change:
        assert whole.totals[change] == sum(part.totals[change] for part in parts)
    assert whole.only_old == sum(part.only_old for part in parts)
    assert whole.only_new == sum(part.only_new for part in parts)
    told(whole)
