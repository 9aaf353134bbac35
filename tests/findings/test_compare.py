"""Every way in which two runs relate, and the totals that have to add up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from compat.findings.baselines import PREVIOUS, STABLE, comparisons, paired
from compat.findings.compare import Change, Comparison, Group, compare, seen_in_run
from compat.findings.derive import derive
from compat.findings.expectations import load_expectations
from compat.findings.model import Findings
from compat.runs.history import EMPTY, History, append
from compat.runs.model import Attempt, Build, Cell, Device, Host, Outcome, Run, Status
from compat.runs.store import load
from tests.conftest import RECORDED, SOURCE, make_build, make_cell, make_run

NO = "AssertionError: no"
OTHER = "AssertionError: other"


def bad(build: str, check: str, signature: str = NO, **changes: Any) -> Cell:
    return make_cell(build, check, Outcome.FAIL, signature=signature, **changes)


def run_of(day: int, *cells: Cell, builds: Sequence[Build] = ()) -> Run:
    made = builds or [make_build(name) for name in dict.fromkeys(cell.build for cell in cells)]
    source = replace(SOURCE, id=f"2026-11-{day:02}T050000.000Z")
    seen = [replace(cell, seen_in=cell.seen_in and source.id) for cell in cells]
    return replace(make_run(list(made), seen), sources=(source,))


def compared(*runs: Run) -> Comparison:
    """The last of ``runs`` with the one before it, as a report does it."""
    history = EMPTY
    for run in runs:
        history = append(history, run)
    return comparisons(runs[-1], derive(runs[-1]), history)[PREVIOUS]


def changes(comparison: Comparison) -> dict[str, str]:
    assert sum(comparison.totals.values()) == comparison.checks
    listed = sum(len(group.cells) for group in comparison.groups)
    assert listed + comparison.totals["fine"] == comparison.checks
    return {cell: group.change.value for group in comparison.groups for cell in group.cells}


def only(comparison: Comparison, change: Change) -> Group:
    (group,) = [each for each in comparison.groups if each.change is change]
    return group


FLAKY = {"first": Attempt(outcome=Outcome.CRASH, reason="SIGSEGV")}


@pytest.mark.parametrize(
    ("before", "now", "change"),
    [
        (make_cell("2.13.0", "a.b"), bad("2.13.0", "a.b"), "new"),
        (bad("2.13.0", "a.b"), bad("2.13.0", "a.b"), "still there"),
        (bad("2.13.0", "a.b"), bad("2.13.0", "a.b", OTHER), "new"),
        (bad("2.13.0", "a.b"), make_cell("2.13.0", "a.b"), "fixed"),
        (bad("2.13.0", "a.b"), make_cell("2.13.0", "a.b", Outcome.UNSUPPORTED), "fixed"),
        (bad("2.13.0", "a.b"), make_cell("2.13.0", "a.b", Outcome.NOT_RUN), "newly silent"),
        (bad("2.13.0", "a.b"), make_cell("2.13.0", "a.c"), "newly silent"),
        (make_cell("2.13.0", "a.b"), make_cell("2.13.0", "a.b", **FLAKY), "flaky"),
        (make_cell("2.13.0", "a.b"), make_cell("2.13.0", "a.b", Outcome.NOT_RUN), "not signal"),
        (make_cell("2.13.0", "a.b"), make_cell("2.13.0", "a.b", Outcome.SKIP), "not signal"),
        (make_cell("2.13.0", "a.b"), make_cell("2.13.0", "a.b"), None),
        (make_cell("2.13.0", "a.b", Outcome.NOT_RUN), bad("2.13.0", "a.b"), "new"),
        (
            make_cell("2.13.0", "a.b", Outcome.CRASH, reason="SIGSEGV at 0x12"),
            make_cell("2.13.0", "a.b", Outcome.CRASH, reason="SIGSEGV at 0x34"),
            "still there",
        ),
    ],
)
def test_how_one_check_changes(before: Cell, now: Cell, change: str | None) -> None:
    seen = changes(compared(run_of(20, before), run_of(21, now)))
    assert seen.get("a.b@2.13.0-cpu") == change


def test_a_check_that_was_not_asked_before_is_known_by_its_signature() -> None:
    before = run_of(20, bad("2.13.0", "a.b"))
    now = run_of(
        21, bad("2.13.0", "a.b"), bad("2.13.0", "a.known"), bad("2.13.0", "a.other", OTHER)
    )
    seen = changes(compared(before, now))
    assert seen["a.known@2.13.0-cpu"] == "still there"
    assert seen["a.other@2.13.0-cpu"] == "new"


def test_a_known_signature_in_a_check_that_passed_is_new() -> None:
    before = run_of(20, bad("2.13.0", "a.b"), make_cell("2.13.0", "a.c"))
    now = run_of(21, bad("2.13.0", "a.b"), bad("2.13.0", "a.c"))
    assert changes(compared(before, now)) == {
        "a.c@2.13.0-cpu": "new",
        "a.b@2.13.0-cpu": "still there",
    }


def test_a_night_without_an_answer_does_not_make_old_failures_new() -> None:
    silent = run_of(21, make_cell("2.13.0", "a.b", Outcome.NOT_RUN))
    comparison = compared(
        run_of(20, bad("2.13.0", "a.b")), silent, run_of(22, bad("2.13.0", "a.b"))
    )
    assert changes(comparison) == {"a.b@2.13.0-cpu": "still there"}


def test_a_part_of_the_matrix_in_between_does_not_make_old_failures_new() -> None:
    whole = run_of(20, bad("2.13.0", "a.b"), make_cell("2.13.0", "a.c"))
    part = run_of(21, make_cell("2.13.0", "a.c"))
    again = run_of(22, bad("2.13.0", "a.b"), make_cell("2.13.0", "a.c"))
    assert changes(compared(whole, part, again)) == {"a.b@2.13.0-cpu": "still there"}


def nightly(day: int, **changed: Any) -> Build:
    return make_build(f"2.16.0.dev202611{day}", channel="nightly", **changed)


def test_nightlies_follow_each_other_and_builds_that_are_gone_are_silent() -> None:
    first, second = nightly(20), nightly(21)
    before = run_of(
        20,
        make_cell(first.id, "a.b"),
        bad("2.13.0", "a.b"),
        make_cell("2.13.0", "a.c"),
        builds=[make_build("2.13.0"), first],
    )
    now = run_of(21, bad(second.id, "a.b", OTHER), builds=[second])
    comparison = compared(before, now)
    assert comparison.builds == ((first.id, second.id), ("2.13.0", ""))
    assert changes(comparison) == {
        f"a.b@{second.id}-cpu": "new",
        "a.b@2.13.0-cpu": "newly silent",
        "a.c@2.13.0-cpu": "not signal",
        "build 2.13.0": "not signal",
    }
    group = only(comparison, Change.NEW)
    assert (group.first_seen, group.last_passed) == (
        append(EMPTY, now).columns[0],
        append(EMPTY, before).columns[1],
    )


def test_a_nightly_follows_the_last_one_of_the_series_before() -> None:
    old = make_build("2.15.0.dev20261119", channel="nightly")
    before = run_of(19, make_cell(old.id, "a.b"), builds=[old])
    now = run_of(20, bad(nightly(20).id, "a.b"), builds=[nightly(20)])
    assert compared(before, now).builds == ((old.id, nightly(20).id),)


def test_a_build_that_broke_is_new_once_and_its_cells_are_no_signal() -> None:
    before = run_of(20, make_cell("2.13.0", "a.b"))
    broken = make_build("2.13.0", status=Status.BROKEN, reason="could not be imported: no symbol")
    now = run_of(21, make_cell("2.13.0", "a.b", Outcome.NOT_RUN), builds=[broken])
    assert changes(compared(before, now)) == {
        "build 2.13.0": "new",
        "a.b@2.13.0-cpu": "not signal",
    }
    assert changes(compared(before, now, replace(now, sources=run_of(22).sources)))[
        "build 2.13.0"
    ] == ("still there")


def test_the_runs_of_another_device_are_left_alone() -> None:
    gpu = make_build("2.13.0", device=Device(kind="cuda"))
    on_gpu = make_cell("2.13.0", "a.b", device="cuda")
    on_cpu = run_of(21, bad("2.13.0", "a.b"))
    now = run_of(22, on_gpu, builds=[gpu])
    assert PREVIOUS not in comparisons(now, derive(now), append(append(EMPTY, on_cpu), now))
    comparison = compared(run_of(20, on_gpu, builds=[gpu]), on_cpu, now)
    assert comparison.builds == (("2.13.0 cuda", "2.13.0 cuda"),)


def test_groups_are_made_by_signature_across_builds_and_parameters() -> None:
    def cells(outcome: Outcome, **changed: str) -> list[Cell]:
        return [
            make_cell(build, "a.b", outcome, params={"model": model, "path": "aot"}, **changed)
            for build in ("2.12.1", "2.13.0")
            for model in ("mlp", "block")
        ]

    before = run_of(20, *cells(Outcome.PASS))
    now = run_of(21, *cells(Outcome.FAIL, signature=NO))
    comparison = compared(before, now)
    group = only(comparison, Change.NEW)
    assert group.what == NO
    assert len(group.cells) == 4
    assert group.where == {
        "build": ("2.12.1", "2.13.0"),
        "probe": ("a.b",),
        "model": ("mlp", "block"),
        "path": ("aot",),
    }
    assert group.last_passed is not None
    assert (group.last_passed.build, group.last_passed.date) == ("2.12.1", "2026-11-20")


def test_expected_failures_are_neither_new_nor_there(tmp_path: Any) -> None:
    path = tmp_path / "expectations.toml"
    path.write_text(
        '[[expectation]]\nprobe = "a.b"\noutcome = "fail"\nreason = "r"\nlink = "l"\n'
        "review_by = 2027-01-01\n"
    )
    now = run_of(21, bad("2.13.0", "a.b"), make_cell("2.13.0", "a.c"))
    history = append(append(EMPTY, run_of(20, make_cell("2.13.0", "a.b"))), now)
    comparison = comparisons(now, derive(now, load_expectations(path)), history)[PREVIOUS]
    assert changes(comparison) == {"a.b@2.13.0-cpu": "expected"}


def test_an_unhealthy_run_says_so_and_alarms_nobody() -> None:
    before = run_of(20, make_cell("2.13.0", "a.b"))
    now = run_of(21, bad("2.13.0", "a.b"))
    findings = replace(derive(now), failed_controls={"a.control@2.10.0-cpu": "It crashes there."})
    comparison = comparisons(now, findings, append(append(EMPTY, before), now))[PREVIOUS]
    assert comparison.failed_controls
    assert changes(comparison) == {"a.b@2.13.0-cpu": "not signal"}
    assert comparison.new_groups == []


def with_stable(run: Run) -> Comparison | None:
    return comparisons(run, derive(run), append(EMPTY, run)).get(STABLE)


def test_the_stable_twin_is_the_newest_release_of_the_same_run() -> None:
    builds = [make_build("2.14.1"), make_build("2.15.0"), nightly(21)]
    cells = [make_cell(each.id, "a.b") for each in builds[:2]] + [bad(nightly(21).id, "a.b")]
    comparison = with_stable(run_of(21, *cells, builds=builds))
    assert comparison is not None
    assert comparison.builds == (("2.15.0", nightly(21).id),)
    assert only(comparison, Change.NEW).cells == (f"a.b@{nightly(21).id}-cpu",)
    # Where all are released, the newest one's twin is the one before.
    comparison = with_stable(run_of(21, *cells[:2], builds=builds[:2]))
    assert comparison is not None
    assert comparison.builds == (("2.14.1", "2.15.0"),)


def test_a_twin_from_another_host_or_of_another_commit_is_said_to_be_one() -> None:
    builds = [make_build("2.15.0"), nightly(21)]
    other = replace(SOURCE, id="2026-11-21T060000.000Z")
    cells = [
        make_cell("2.15.0", "a.b", seen_in=other.id),
        make_cell(nightly(21).id, "a.b", seen_in=SOURCE.id),
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
        comparison = with_stable(replace(run, sources=(SOURCE, twin)))
        assert comparison is not None
        assert comparison.old == f"2.15.0{said}"


@pytest.fixture(scope="module")
def recorded() -> Run:
    """2.12.1 and 2.13.0 as they were really seen."""
    run = load(RECORDED)
    builds = [build for build in run.builds if build.id in {"2.12.1", "2.13.0"}]
    cells = [cell for cell in run.cells if cell.build in {"2.12.1", "2.13.0"}]
    return replace(run, builds=tuple(builds), cells=tuple(cells))


def one_after_the_other(run: Run) -> tuple[Comparison, Findings]:
    findings = derive(run, load_expectations())
    old, new = seen_in_run(run, findings)
    history: History = append(EMPTY, run)
    return compare("2.12.1", "2.13.0", paired([old], [new]), history, {}), findings


def test_replay_one_probe_broken_on_2_13_is_named_once_and_nothing_else(recorded: Run) -> None:
    untouched, _ = one_after_the_other(recorded)
    assert untouched.new_groups == []
    victim = "donation.copies[donated]@2.13.0-cpu"
    broken = replace(
        recorded,
        cells=tuple(
            replace(cell, outcome=Outcome.FAIL, signature="AssertionError: 1 copies", metrics={})
            if cell.id == victim
            else cell
            for cell in recorded.cells
        ),
    )
    comparison, _ = one_after_the_other(broken)
    (group,) = comparison.new_groups
    assert group.cells == (victim,)
    assert group.first_seen is not None
    assert group.last_passed is not None
    assert (group.first_seen.build, group.last_passed.build) == ("2.13.0", "2.12.1")
    assert comparison.totals["new"] == 1
    assert comparison.totals["fine"] == untouched.totals["fine"] - 1
    assert len(changes(comparison)) == len(changes(untouched)) + 1
