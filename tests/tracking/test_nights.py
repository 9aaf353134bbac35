from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest

from compat.findings.expectations import load_expectations
from compat.findings.results import results_of
from compat.runs.answers import Change, Ending, Said, count, quantity, verdict
from compat.runs.history import EMPTY, WHOLE, History
from compat.runs.ids import AnswerId
from compat.runs.model import Build, Outcome, Run, Status
from compat.tracking.nights import (
    Standing,
    Symptom,
    Tracking,
    Wanted,
    is_late,
    known_symptoms,
    track,
    watch_index,
)
from tests.conftest import SOURCE, make_build, make_cell, make_run
from tests.findings.making import bad, copies
from tests.tracking.pictures import FIRST, history_of, night, release

OPEN, AS_IS, CLOSED = Wanted.OPEN, Wanted.AS_IS, Wanted.CLOSED


def tracked(history: History, nights: int = 2) -> Tracking:
    tracking = track(history, "cpu", nights)
    assert tracking is not None
    return tracking


@pytest.mark.parametrize(
    ("picture", "wanted"),
    [
        ("pppf", AS_IS),
        ("ppff", OPEN),
        ("ppee", OPEN),
        ("ppcc", OPEN),
        ("pptt", OPEN),
        ("pfpf", AS_IS),  # not in a row
        ("fnnf", OPEN),  # what was not run counts for nothing
        ("f..f", OPEN),
        ("ssnn", AS_IS),  # nothing was seen at all
        ("uuuu", CLOSED),
        ("fffp", AS_IS),
        ("ffpp", CLOSED),
        ("ffpn", AS_IS),
        ("fpnp", CLOSED),
        ("ffnn", AS_IS),
        ("ff..", AS_IS),
        ("fpfp", AS_IS),
        ("ffpf", AS_IS),  # once more is not night after night: it stays open
        ("pppp", CLOSED),
    ],
)
def test_two_nights_open_it_and_two_good_ones_close_it(picture: str, wanted: Wanted) -> None:
    assert tracked(history_of({"a.b": picture})).wanted is wanted


@pytest.mark.parametrize(
    ("picture", "nights", "wanted"), [("f", 1, OPEN), ("ff", 3, AS_IS), ("fff", 3, OPEN)]
)
def test_how_many_nights_it_takes_is_a_choice(picture: str, nights: int, wanted: Wanted) -> None:
    assert tracked(history_of({"a.b": picture}), nights).wanted is wanted


def test_the_signature_counts_and_not_the_check() -> None:
    assert tracked(history_of({"a.b": "fp", "a.c": "pf"})).wanted is OPEN
    other = {"a.b": {0: "KeyError: x"}, "a.c": {1: "KeyError: y"}}
    different = history_of({"a.b": "fp", "a.c": "pf"}, signatures=other)
    assert tracked(different).wanted is AS_IS


def test_a_crash_and_a_hang_of_one_check_differ() -> None:
    signatures = {"a.b": {0: "crash: SIGSEGV", 1: "timeout"}}
    tracking = tracked(history_of({"a.b": "ct"}, signatures=signatures))
    assert tracking.wanted is AS_IS
    assert [each.symptom.after for each in tracking.troubles] == [
        Ending(outcome=Outcome.TIMEOUT, signature="timeout"),
        Ending(outcome=Outcome.CRASH, signature="crash: SIGSEGV"),
    ]


def test_an_open_issue_is_closed_only_once_all_that_failed_was_run() -> None:
    assert tracked(history_of({"a.b": "ffpp", "a.c": "ffnp"})).wanted is AS_IS
    assert tracked(history_of({"a.b": "ffppp", "a.c": "ffnpp"})).wanted is CLOSED


def test_a_failure_seen_once_and_never_asked_for_again_keeps_nothing_open() -> None:
    pictures = {"a.b": "ffpp", "a.rare": ".f.."}
    assert tracked(history_of(pictures)).wanted is AS_IS
    once = history_of(pictures, signatures={"a.rare": {1: "KeyError: x"}})
    assert tracked(once).wanted is CLOSED


def test_other_devices_and_other_channels_do_not_count() -> None:
    stable = tuple(night(each, channel="stable") for each in range(2))
    assert track(history_of({"a.b": "ff"}, stable), "cpu", 2) is None
    gpu = tuple(night(each, device="cuda") for each in range(2))
    assert track(history_of({"a.b": "ff"}, gpu), "cpu", 2) is None
    assert track(EMPTY, "cpu", 2) is None


def test_a_release_candidate_is_a_night_of_its_own_channel() -> None:
    columns = (
        night(0),
        night(0, channel="test", name="2.15.0rc1+cpu", git_version="c1"),
        night(1),
        night(1, channel="test", name="2.15.0rc2+cpu", git_version="c2"),
    )
    (trouble,) = tracked(history_of({"a.b": "pppf"}, columns)).troubles
    assert (trouble.first_bad, trouble.last_good) == (columns[3], columns[1])
    assert tracked(history_of({"a.b": "pfpf"}, columns)).wanted is OPEN


@pytest.mark.parametrize(
    ("picture", "wanted"),
    [
        ("ffp", AS_IS),  # the second run of that date was good
        ("fpf", OPEN),
        ("ff.", OPEN),  # and says nothing of what it did not run
    ],
)
def test_of_several_runs_on_one_date_the_newest_counts(picture: str, wanted: Wanted) -> None:
    again = night(1, run="2026-11-02T180000.000Z")
    assert tracked(history_of({"a.b": picture}, (night(0), night(1), again))).wanted is wanted


def test_an_older_nightly_beside_the_newest_one_does_not_count() -> None:
    pinned = "2.14.0.dev20260420+cpu"
    columns = (night(0, name=pinned), night(0), night(1, name=pinned), night(1))
    assert tracked(history_of({"a.b": "fpfp"}, columns)).wanted is CLOSED


def test_a_nightly_under_two_pythons_is_two_builds_of_one_night() -> None:
    columns = (night(0), night(1), night(1, name="2.16.0.dev20261102+cpu-py3.10"))
    tracking = tracked(history_of({"a.b": "ffp"}, columns))
    assert tracking.wanted is OPEN
    assert tracking.newest == columns[1:]


@pytest.mark.parametrize(
    ("reason", "wanted"),
    [
        ("could not be installed: no answer", AS_IS),
        ("the runner ended before the build did", AS_IS),
        ("the worker ended with status -11: it said nothing", OPEN),
    ],
)
def test_infrastructure_is_no_trouble_and_a_torch_that_cannot_be_imported_is(
    reason: str, wanted: Wanted
) -> None:
    history = history_of({WHOLE: "ee", "a.b": "nn"}, signature=reason)
    assert tracked(history).wanted is wanted


def known_of(run: Run, expectation: str, path: Path) -> frozenset[tuple[AnswerId, Symptom]]:
    path.write_text(
        f'[[expectation]]\n{expectation}\nreason = "r"\nlink = "https://example.org"\n'
        "review_by = 2027-01-01\n"
    )
    return known_symptoms(results_of(run, EMPTY, load_expectations(path)))


def test_what_is_known_is_no_trouble(tmp_path: Path) -> None:
    history = history_of({"a.b": "fff", "a.c": "ppp"})
    run = make_run([NIGHTLY], [bad(NIGHTLY.id.name, "a.b"), make_cell(NIGHTLY.id.name, "a.c")])
    known = known_of(run, 'probe = "a.b"\noutcome = "fail"', tmp_path / "known.toml")
    tracking = track(history, "cpu", 2, known)
    assert tracking is not None
    assert (tracking.wanted, tracking.troubles) == (CLOSED, ())
    unknown = known_of(run, 'probe = "a.c"\noutcome = "fail"', tmp_path / "known.toml")
    assert unknown == frozenset()
    assert track(history, "cpu", 2, unknown) == tracked(history)


@pytest.mark.parametrize(
    ("picture", "first_bad", "last_good", "nights"),
    [
        ("ppff", 2, 1, 2),
        ("pnff", 2, 0, 2),
        ("pfnf", 1, 0, 2),
        ("ffff", 0, None, 4),
        ("fpff", 2, 1, 2),
    ],
)
def test_the_suspects(picture: str, first_bad: int, last_good: int | None, nights: int) -> None:
    (trouble,) = tracked(history_of({"a.b": picture})).troubles
    assert trouble.first_bad == night(first_bad)
    assert trouble.last_good == (None if last_good is None else night(last_good))
    assert (trouble.nights, trouble.seen_on) == (nights, night(3))


@pytest.mark.parametrize(
    ("picture", "standing"),
    [
        ("ffpf", Standing.NEW),
        ("pfff", Standing.STILL_THERE),
        ("pffn", Standing.NOT_RUN),
        ("pffp", Standing.GONE),
        ("ffpp", Standing.GONE),
    ],
)
def test_how_it_stands_after_the_newest_night(picture: str, standing: Standing) -> None:
    (trouble,) = tracked(history_of({"a.b": picture})).troubles
    assert trouble.standing is standing


def test_old_troubles_are_forgotten_once_all_was_well() -> None:
    assert tracked(history_of({"a.b": "ffppp"})).troubles == ()


def run_on(number: int, *builds: Build) -> Run:
    """The run of a night."""
    return replace(make_run(list(builds), []), sources=(replace(SOURCE, id=night(number).run),))


NIGHTLY = make_build(night(0).build.name, channel="nightly")
RELEASE = make_build("2.15.0")
SEEN_ONCE = history_of({"a.b": "p"})


@pytest.mark.parametrize(("stood", "stale"), [(0, False), (7, False), (8, True)])
def test_an_index_that_stands_still_for_a_week(stood: int, stale: bool) -> None:
    found = watch_index(SEEN_ONCE, run_on(stood, NIGHTLY))
    assert found == ({"cpu": NIGHTLY.id.name} if stale else {})


def test_an_index_that_does_not_answer_stands_still_as_well() -> None:
    silent = make_build("nightly", channel="", status=Status.UNAVAILABLE, reason="no answer")
    assert watch_index(SEEN_ONCE, run_on(8, RELEASE, silent)) == {"cpu": NIGHTLY.id.name}


def test_an_index_that_had_a_nightly_which_no_machine_took_does_not_stand_still() -> None:
    lost = make_build(
        night(8).build.name, channel="nightly", status=Status.UNAVAILABLE, reason="lost"
    )
    assert watch_index(SEEN_ONCE, run_on(8, RELEASE, lost)) == {}


def test_a_device_that_is_no_longer_run_says_nothing_of_the_index() -> None:
    history = history_of({"a.b": "pp"}, (night(0, device="cuda"), night(9)))
    no_runner = make_build("all-builds", device="cuda", status=Status.UNAVAILABLE)
    assert watch_index(history, run_on(9, make_build(night(9).build.name), no_runner)) == {}


def test_a_nightly_that_is_not_dated_and_a_release_say_nothing_of_the_index() -> None:
    columns = (night(0, name="2.16.0a0+git1a2b3c4"), release(0))
    assert watch_index(history_of({"a.b": "pp"}, columns), run_on(30, RELEASE)) == {}


@pytest.mark.parametrize(("days", "late"), [(0, False), (2, False), (3, True), (-1, False)])
def test_a_schedule_that_has_not_run(days: int, late: bool) -> None:
    today: date = FIRST + timedelta(days=days)
    assert is_late(run_on(0), today) is late


@pytest.mark.parametrize("git_version", ["same", "another"])
def test_what_was_taken_over_beside_a_check_that_was_run_again_is_no_second_night(
    git_version: str,
) -> None:
    """On the second day of one nightly only the other check was run; a candidate may be another."""
    first = night(0, git_version="same")
    again = night(1, build=first.build, version=first.version, git_version=git_version)
    tracking = tracked(history_of({"a.b": "ff", "a.c": "fp"}, (first, again)))
    seen_twice = git_version == "another"
    assert tracking.wanted is (OPEN if seen_twice else AS_IS)
    assert [each.nights for each in tracking.troubles] == [2 if seen_twice else 1]


def test_passes_that_were_taken_over_are_no_good_nights() -> None:
    bad = (night(0), night(1))
    good = [night(each, build=night(2).build, git_version="g") for each in (2, 3)]
    assert tracked(history_of({"a.b": "ffpp"}, (*bad, *good))).wanted is AS_IS


def test_what_was_not_seen_again_is_no_second_night() -> None:
    """A nightly is taken over from the night before, while a release candidate was run anew."""
    first = night(0)
    again = replace(first, run=night(1).run)
    history = history_of({"a.b": "ff"}, (first, again))
    assert tracked(history).wanted is AS_IS
    (trouble,) = tracked(history).troubles
    assert trouble.nights == 1


# Answers: what a check says that passes either way, against the newest release beside it.


def beside(said: Sequence[Said], of_release: Said, picture: str = "") -> History:
    """A night each for what a nightly says, with a release that says the same every night."""
    columns = []
    for number in range(len(said)):
        columns += [release(number), night(number)]
    letters = "".join(f"p{letter}" for letter in picture or "p" * len(said))
    each = [answer for now in said for answer in (of_release, now)]
    return history_of({"a.b": letters}, columns, said={"a.b": each})


def copied(*numbers: int | None) -> list[Said]:
    return [count("copies", number) for number in numbers]


@pytest.mark.parametrize(
    ("numbers", "wanted"),
    [
        ((1, 1, 4), AS_IS),
        ((1, 4, 4), OPEN),
        ((1, 4, 1), AS_IS),
        ((4, 4, 1, 1), CLOSED),
        ((4, 5), AS_IS),  # not the same
        ((0, 0), CLOSED),  # better
        ((4, None, 4), OPEN),
        ((4, 4, None, None), AS_IS),
    ],
)
def test_an_answer_that_is_worse_night_after_night_opens_it(
    numbers: tuple[int | None, ...], wanted: Wanted
) -> None:
    assert tracked(beside(copied(*numbers), count("copies", 1))).wanted is wanted


def test_it_names_the_answer_with_both_values_and_the_suspects() -> None:
    history = beside(copied(1, 4, 4), count("copies", 1))
    (trouble,) = tracked(history).troubles
    assert trouble.symptom == Symptom(about="a.b.copies", change=Change.WORSE, before=1, after=4)
    assert trouble.answers == (AnswerId("a.b.copies"),)
    assert (trouble.nights, trouble.standing) == (2, Standing.STILL_THERE)
    assert (trouble.first_bad, trouble.last_good) == (night(1), night(0))


def test_a_verdict_that_is_lost() -> None:
    history = beside([verdict("there", False)] * 2, verdict("there", True))
    (trouble,) = tracked(history).troubles
    assert (trouble.symptom.change, trouble.symptom.after) == (Change.LOST, False)


def test_a_check_that_the_newest_build_no_longer_supports_is_lost() -> None:
    history = beside(copied(None, None), count("copies", None), picture="uu")
    tracking = tracked(history)
    assert tracking.wanted is OPEN
    assert tracking.troubles[0].symptom.after == Ending(outcome=Outcome.UNSUPPORTED)


def test_noise_does_not_make_it_another_symptom() -> None:
    def took(calls: float) -> Said:
        return quantity("calls", calls, noise=0.5)

    assert tracked(beside([took(3000.5), took(3100)], took(1000))).wanted is OPEN
    assert tracked(beside([took(1100), took(1400)], took(1000))).wanted is CLOSED


def test_an_answer_that_differs_from_no_release_is_no_trouble() -> None:
    history = history_of({"a.b": "pp"}, said={"a.b": copied(1, 4)})
    assert tracked(history).wanted is CLOSED


def test_the_twin_is_of_the_same_device_and_python() -> None:
    for others in ({"device": "cuda"}, {"name": "2.15.0-py3.10"}):
        columns = [release(0, **others), night(0), release(1, **others), night(1)]
        said = {"a.b": copied(1, 4, 1, 4)}
        assert tracked(history_of({"a.b": "pppp"}, columns, said=said)).wanted is CLOSED


def test_the_twin_is_the_newest_release_that_was_there_then() -> None:
    """2.15.1, which is as the nightly is, came out on the last day only."""
    columns = [
        release(0),
        night(0),
        release(1),
        night(1),
        release(2, name="2.15.1"),
        night(2),
    ]
    said = {"a.b": copied(1, 4, 1, 4, 4, 4)}
    (trouble,) = tracked(history_of({"a.b": "pppppp"}, columns, said=said)).troubles
    assert (trouble.nights, trouble.standing) == (2, Standing.GONE)


def test_a_twin_of_which_part_was_run_again_still_says_the_rest() -> None:
    columns = [release(0), night(0), release(1), night(1)]
    said = {
        "a.b": [*copied(1, 4), Said(name="other", scale=count("x", 1).scale, value=1), *copied(4)]
    }
    history = history_of({"a.b": "pp.p", "a.c": "pppp"}, columns, said=said)
    assert tracked(history).wanted is OPEN


def test_a_loss_that_is_expected_is_no_trouble(tmp_path: Path) -> None:
    newest = night(1).build.name
    builds = [make_build("2.15.0"), make_build(newest, channel="nightly")]
    cells = [copies("2.15.0", 1), copies(newest, 4)]
    run = make_run(builds, cells)
    known = known_of(run, 'probe = "donation.copies"\nanswer = "copies"', tmp_path / "known.toml")
    columns = [release(0), night(0), release(1), night(1)]
    check = "donation.copies[standalone]"
    history = history_of({check: "pppp"}, columns, said={check: copied(1, 4, 1, 4)})
    assert tracked(history).wanted is OPEN
    tracking = track(history, "cpu", 2, known)
    assert tracking is not None
    assert (tracking.wanted, tracking.troubles) == (CLOSED, ())
