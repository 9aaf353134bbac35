"""What a run is compared with, and what is never compared with each other."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from compat.commands.compared import Side, compare_named
from compat.errors import UsageError
from compat.findings.baselines import PREVIOUS, STABLE, paired
from compat.findings.changes import Comparison
from compat.findings.expectations import NONE, load_expectations
from compat.findings.results import results_of
from compat.runs.answers import Change
from compat.runs.history import EMPTY
from compat.runs.model import Cell, Device, Host, Outcome, Run
from compat.runs.store import load
from compat.topics.donation.records import Flag
from tests.conftest import RECORDED, SOURCE, make_build, make_cell, make_run
from tests.findings.making import (
    NO,
    OTHER,
    bad,
    copies,
    name,
    nightly,
    report,
    run_of,
    since,
    with_stable,
)


def test_nightlies_follow_each_other_and_builds_without_a_match_are_named() -> None:
    first, second = nightly(20), nightly(21)
    before = run_of(
        20,
        make_cell(first.id.name, "a.b"),
        make_cell("2.13.0", "a.b"),
        builds=[make_build("2.13.0"), first],
    )
    now = run_of(
        21,
        bad(second.id.name, "a.b"),
        make_cell("2.14.1", "a.b"),
        builds=[make_build("2.14.1"), second],
    )
    comparison = since(before, now)
    assert comparison.pairs == ((first.label, second.label),)
    assert comparison.alone == ("2.14.1",)
    (group,) = comparison.alarms
    assert group.first is not None
    assert group.last is not None
    assert (group.first.build, group.last.build) == (second.id, first.id)


@pytest.mark.parametrize("series", ["2.15.0", "2.16.0"])
def test_a_nightly_follows_any_nightly_the_same_series_first(series: str) -> None:
    old = nightly(19, series)
    before = run_of(19, make_cell(old.id.name, "a.b"), builds=[old])
    now = run_of(20, bad(nightly(20).id.name, "a.b"), builds=[nightly(20)])
    assert since(before, now).pairs == ((old.label, nightly(20).label),)


def test_a_release_follows_itself_and_a_patch_release_its_series() -> None:
    before = run_of(20, make_cell("2.12.0", "a.b"), make_cell("2.13.0", "a.b"))
    now = run_of(21, make_cell("2.12.1", "a.b"), make_cell("2.13.0", "a.b"))
    assert since(before, now).pairs == (("2.12.0", "2.12.1"), ("2.13.0", "2.13.0"))
    assert PREVIOUS not in report(before, run_of(21, make_cell("2.14.1", "a.b"))).comparisons


def test_a_release_does_not_follow_its_candidate() -> None:
    candidate = make_build("2.16.0", channel="test", version="2.16.0")
    before = run_of(20, make_cell("2.16.0", "a.b"), builds=[candidate])
    now = run_of(21, make_cell("2.16.1", "a.b"), builds=[make_build("2.16.1")])
    assert PREVIOUS not in report(before, now).comparisons


def test_the_stable_twin_is_the_newest_release_of_the_same_run() -> None:
    builds = [make_build("2.14.1"), make_build("2.15.0"), nightly(21)]
    cells = [make_cell("2.14.1", "a.b"), make_cell("2.15.0", "a.b")]
    failing = bad(nightly(21).id.name, "a.b")
    comparison = with_stable(run_of(21, *cells, failing, builds=builds))
    assert comparison.pairs == (("2.15.0", nightly(21).label),)
    (group,) = comparison.alarms
    assert group.cells == [failing.id]
    # Where all are released, the newest one's twin is the one before.
    comparison = with_stable(run_of(21, *cells, builds=builds[:2]))
    assert comparison.pairs == (("2.14.1", "2.15.0"),)
    assert STABLE not in report(run_of(21, cells[0])).comparisons


def test_a_local_build_stands_beside_the_newest_release() -> None:
    local = make_build("local-mine", channel="local", version="2.17.0a0+gitabc")
    builds = [make_build("2.14.1"), make_build("2.15.0"), local]
    cells = [copies("2.14.1", 1), copies("2.15.0", 1), copies("local-mine", 4)]
    comparison = with_stable(run_of(21, *cells, builds=builds))
    assert comparison.pairs == (("2.15.0", "local-mine"),)
    assert [group.about for group in comparison.alarms] == ["donation.copies.copies"]


def test_devices_and_pythons_are_never_compared() -> None:
    """Each is worse than the one beside it, and none is worse than itself."""
    places = {("2.15.0", "cpu"): 1, ("2.15.0-py3.10", "cpu"): 2, ("2.15.0", "cuda"): 3}

    def night(day: int) -> Run:
        cells = [copies(name, n, device=device) for (name, device), n in places.items()]
        return run_of(day, *cells)

    comparison = since(night(20), night(21))
    assert comparison.pairs == (
        ("2.15.0", "2.15.0"),
        ("2.15.0-py3.10", "2.15.0-py3.10"),
        ("2.15.0 cuda", "2.15.0 cuda"),
    )
    assert comparison.lines == (("cpu", ""), ("cpu", "3.10"), ("cuda", ""))
    assert {change for change, number in comparison.totals.items() if number} == {Change.SAME}
    assert STABLE not in report(night(21)).comparisons
    lonely = run_of(22, copies("2.15.0", 4, device="cuda"))
    assert PREVIOUS not in report(run_of(21, copies("2.15.0", 1)), lonely).comparisons


def test_two_gpus_are_never_compared() -> None:
    old, new = (
        replace(make_build(name, device="cuda"), device=Device(kind="cuda", name=card))
        for name, card in (("2.14.1", "H100"), ("2.15.0", "H200"))
    )
    cells = [copies("2.14.1", 1, device="cuda"), copies("2.15.0", 4, device="cuda")]
    assert STABLE not in report(run_of(21, *cells, builds=[old, new])).comparisons
    same = replace(old, device=new.device)
    assert with_stable(run_of(21, *cells, builds=[same, new])).alarms
    # Nor is a build with itself on another one, the night before.
    elsewhere = replace(new, device=old.device)
    before, now = (
        run_of(day, copies("2.15.0", n, device="cuda"), builds=[build])
        for day, n, build in ((20, 1, elsewhere), (21, 4, new))
    )
    assert PREVIOUS not in report(before, now).comparisons
    before = run_of(20, copies("2.15.0", 1, device="cuda"), builds=[new])
    assert since(before, now).alarms


def test_since_when_is_asked_of_the_same_device_and_python_only() -> None:
    before = run_of(20, copies("2.15.0", 1), copies("2.14.1", 4, device="cuda"))
    now = run_of(21, copies("2.15.0", 4), copies("2.14.1", 4, device="cuda"))
    (group,) = since(before, now).alarms
    assert group.first is not None
    assert group.first.build == "2.15.0-cpu"


def test_a_part_of_the_matrix_in_between_takes_nothing_out_of_mind() -> None:
    whole = run_of(20, bad("2.13.0", "a.b"), copies("2.13.0", 1), name("2.13.0", "f()"))
    part = run_of(21, copies("2.13.0", 1))
    again = run_of(22, bad("2.13.0", "a.b"), copies("2.13.0", 4), name("2.13.0", ""))
    comparison = since(whole, part, again)
    assert comparison.totals[Change.UNKNOWN] == 2  # signature and parameters of what is gone
    assert (comparison.only_old, comparison.only_new) == (0, 0)
    assert {group.about for group in comparison.alarms} == {
        "donation.copies.copies",
        "surface.name.there",
    }


def test_a_night_without_an_answer_does_not_make_old_failures_new() -> None:
    silent = run_of(21, make_cell("2.13.0", "a.b", Outcome.NOT_RUN))
    again = run_of(22, bad("2.13.0", "a.b"))
    comparison = since(run_of(20, bad("2.13.0", "a.b")), silent, again)
    assert comparison.totals[Change.SAME] == comparison.answers


def test_a_twin_from_another_host_or_of_another_commit_is_said_to_be_one() -> None:
    builds = [make_build("2.15.0"), nightly(21)]
    other = replace(SOURCE, id="2026-11-21T060000.000Z")
    cells = [
        make_cell("2.15.0", "a.b", seen_in=other.id),
        make_cell(nightly(21).id.name, "a.b", seen_in=SOURCE.id),
    ]
    run = make_run(builds, cells)
    elsewhere = replace(other, host=Host(system="L", machine="arm", cpu="b", cores=1))
    later = replace(other, harness=replace(SOURCE.harness, commit="fff"))
    both = replace(later, host=elsewhere.host)
    for twin, said in {
        other: "",
        elsewhere: " (seen on another host)",
        later: " (seen by another commit of this project)",
        both: " (seen by another commit of this project, on another host)",
    }.items():
        assert with_stable(replace(run, sources=(SOURCE, twin))).old == f"2.15.0{said}"


EXPECTED = """
[[expectation]]
probe = "{probe}"
{what}
reason = "Known."
link = "https://example.org/1"
review_by = 2027-01-01
"""


@pytest.mark.parametrize(
    ("probe", "what", "alarms"),
    [
        ("donation.copies", 'answer = "copies"', ["surface.name.there", "outcome"]),
        (
            "donation.copies",
            'answer = "copies"\nbuilds = "==2.13.*"',
            ["surface.name.there", "outcome"],
        ),
        (
            "donation.copies",
            'answer = "copies"\nbuilds = "==2.14.*"',
            ["donation.copies.copies", "surface.name.there", "outcome"],
        ),
        (
            "donation.copies",
            'answer = "copies"\nparams = { path = "standalone" }',
            ["surface.name.there", "outcome"],
        ),
        (
            "donation.copies",
            'answer = "copies"\nparams = { path = "aot" }',
            ["donation.copies.copies", "surface.name.there", "outcome"],
        ),
        ("*", 'answer = "there"', ["donation.copies.copies", "outcome"]),
        ("a.b", 'outcome = "fail"', ["donation.copies.copies", "surface.name.there"]),
        ("*", 'answer = "outcome"', ["donation.copies.copies", "surface.name.there", "outcome"]),
    ],
)
def test_what_is_expected_alarms_nobody_and_is_told(
    probe: str, what: str, alarms: list[str], tmp_path: Path
) -> None:
    path = tmp_path / "expectations.toml"
    path.write_text(EXPECTED.format(probe=probe, what=what))
    before = run_of(20, copies("2.13.0", 1), name("2.13.0", "f()"), make_cell("2.13.0", "a.b"))
    now = run_of(21, copies("2.13.0", 4), name("2.13.0", ""), bad("2.13.0", "a.b"))
    results = report(before, now, expectations=load_expectations(path))
    comparison = results.comparisons[PREVIOUS]
    assert sorted(group.about for group in comparison.alarms) == sorted(alarms)
    assert len([group for group in comparison.groups if group.change.alarms]) == 3
    assert results.assessment.status == 1


CONTROL = """
[[control]]
probe = "donation.copies"
answers = { copies = 1 }
reason = "A graph is copied."
"""


def test_a_control_that_failed_silences_all_alarms(tmp_path: Path) -> None:
    path = tmp_path / "expectations.toml"
    path.write_text(CONTROL)
    before = run_of(20, copies("2.13.0", 1), name("2.13.0", "f()"))
    good = run_of(21, copies("2.13.0", 1), name("2.13.0", ""))
    broken = run_of(21, copies("2.13.0", 0), name("2.13.0", ""))
    expectations = load_expectations(path)
    assert since(before, good, expectations=expectations).alarms
    comparison = since(before, broken, expectations=expectations)
    assert dict(comparison.failed_controls) == {
        "donation.copies[standalone]@2.13.0-cpu": "A graph is copied."
    }
    assert comparison.alarms == []
    assert any(group.change is Change.LOST for group in comparison.groups)


# Two builds of one run.


def recorded(builds: tuple[str, ...]) -> Run:
    """As they were really seen."""
    run = load(RECORDED)
    return replace(
        run,
        builds=tuple(build for build in run.builds if build.id.name in builds),
        cells=tuple(cell for cell in run.cells if cell.build.name in builds),
    )


def side(run: Run, build: str) -> Side:
    results = results_of(run, EMPTY, NONE)
    entries = [entry for entry in results.entries if entry.column.build.label == build]
    return Side(name=build, entries=entries, results=results, whole=False)


def one_after_the_other(run: Run, old: str = "2.12.1", new: str = "2.13.0") -> Comparison:
    return compare_named(side(run, old), side(run, new), report(run).history)


def test_replay_one_probe_broken_on_2_13_is_named_once_and_nothing_else() -> None:
    run = recorded(("2.12.1", "2.13.0"))
    untouched = one_after_the_other(run)
    assert untouched.alarms == []
    assert {"gates.capability.available"} <= {
        group.about for group in untouched.groups if group.change is Change.GAINED
    }
    victim = "donation.copies[donated]@2.13.0-cpu"
    broken = replace(
        run,
        cells=tuple(
            replace(cell, outcome=Outcome.FAIL, signature=NO, record=None)
            if cell.id == victim
            else cell
            for cell in run.cells
        ),
    )
    comparison = one_after_the_other(broken)
    (group,) = comparison.alarms
    assert group.cells == [victim]
    assert group.first is not None
    assert group.last is not None
    assert (group.first.build, group.last.build) == ("2.13.0-cpu", "2.12.1-cpu")
    assert comparison.totals[Change.LOST] == 1
    assert comparison.answers == untouched.answers


def test_two_builds_are_compared_on_what_both_were_run_on() -> None:
    cells = [copies("2.14.1", 1), copies("2.15.0", 4), copies("2.15.0", 4, device="cuda")]
    run = run_of(20, *cells)
    assert [group.about for group in one_after_the_other(run, "2.14.1", "2.15.0").alarms] == [
        "donation.copies.copies"
    ]
    with pytest.raises(UsageError, match="expected builds of one device and Python"):
        one_after_the_other(run, "2.14.1", "2.15.0 cuda")


def test_since_when_goes_by_version() -> None:
    run = run_of(20, name("2.14.1", "f()"), name("2.15.0", ""), name("2.16.0", ""))
    (group,) = one_after_the_other(run, "2.14.1", "2.16.0").alarms
    assert (group.about, group.builds) == ("surface.name.there", ["2.16.0"])
    assert group.first is not None
    assert group.last is not None
    assert (group.first.build, group.last.build) == ("2.15.0-cpu", "2.14.1-cpu")


def test_pairs_name_what_is_alone_on_either_side() -> None:
    old = report(run_of(20, bad("2.13.0", "a.b", OTHER), make_cell("2.14.1", "a.b"))).entries
    new = report(run_of(21, bad("2.13.0", "a.b", OTHER), make_cell("2.15.0", "a.b"))).entries
    pairs, alone = paired(old, new)
    assert [(pair.old.column.build, pair.new.column.build) for pair in pairs] == [
        ("2.13.0-cpu", "2.13.0-cpu")
    ]
    assert [column.build for column in alone] == ["2.15.0-cpu", "2.14.1-cpu"]


def test_a_night_on_which_a_cell_failed_does_not_hide_what_it_said_before() -> None:
    broken = make_cell("2.13.0", "donation.copies", Outcome.ERROR, params={"path": "standalone"})
    nights = [run_of(20, copies("2.13.0", 1)), run_of(21, broken), run_of(22, copies("2.13.0", 4))]
    comparison = since(*nights)
    (group,) = comparison.alarms
    assert (group.about, group.before, group.after) == ("donation.copies.copies", 1, 4)
    assert comparison.totals[Change.GAINED] == 1


def test_a_night_on_which_an_answer_was_not_known_does_not_hide_it_either() -> None:
    def flag(passed: int, calls: int) -> Cell:
        return make_cell(
            "2.13.0", "donation.flag", record=Flag(gate=True, passed=passed, calls=calls)
        )

    nights = [run_of(20, flag(1, 1)), run_of(21, flag(0, 0)), run_of(22, flag(0, 1))]
    assert since(*nights[:2]).alarms == []
    assert ("donation.flag.as_gated", True, False) in [
        (group.about, group.before, group.after) for group in since(*nights).alarms
    ]
