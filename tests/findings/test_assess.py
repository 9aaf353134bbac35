"""What a run comes to: the first thing that everybody is told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from compat.findings.assess import Assessment, Color
from compat.findings.expectations import load_expectations
from compat.report.badge import badge
from compat.report.markdown import render
from compat.report.paragraph import paragraph
from compat.report.verdict import verdict
from compat.runs.model import Build, Cell, Outcome, Status
from tests.conftest import make_build, make_cell
from tests.findings.making import bad, copies, nightly, report, run_of

GOOD = make_cell("2.13.0", "a.b")
BROKEN = make_build("2.14.1", status=Status.BROKEN, reason="import failed")
MISSING = make_build(
    "nightly", channel="nightly", status=Status.UNAVAILABLE, reason="no answer", version=""
)


def assessed(cells: Sequence[Cell], *more: Build) -> Assessment:
    builds = [make_build(name) for name in dict.fromkeys(cell.build.name for cell in cells)]
    known = {build.id for build in more}
    kept = [build for build in builds if build.id not in known]
    return report(run_of(20, *cells, builds=[*kept, *more])).assessment


def silent(build: str, outcome: Outcome = Outcome.NOT_RUN) -> Cell:
    return make_cell(build, "a.b", outcome)


@pytest.mark.parametrize(
    ("cells", "more", "color", "status"),
    [
        ([GOOD], [], Color.GREEN, 0),
        ([GOOD, make_cell("2.13.0", "a.c", Outcome.UNSUPPORTED)], [], Color.GREEN, 0),
        ([GOOD], [MISSING], Color.AMBER, 0),
        ([GOOD, silent("nightly")], [MISSING], Color.AMBER, 0),
        ([GOOD, make_cell("2.13.0", "a.c", Outcome.SKIP)], [], Color.AMBER, 0),
        ([GOOD, make_cell("2.13.0", "a.c", Outcome.NOT_RUN)], [], Color.RED, 1),
        ([GOOD, bad("2.13.0", "a.c")], [], Color.RED, 1),
        ([GOOD, bad("2.13.0", "a.c")], [MISSING], Color.RED, 1),
        ([GOOD], [BROKEN], Color.RED, 1),
        ([bad("2.13.0", "a.b")], [], Color.GREY, 1),
        ([], [MISSING], Color.GREY, 1),
        ([silent("2.13.0", Outcome.SKIP)], [], Color.GREY, 1),
    ],
)
def test_colors(cells: list[Cell], more: list[Build], color: Color, status: int) -> None:
    found = assessed(cells, *more)
    assert (found.color, found.status) == (color, status)


def test_what_turns_a_run_red() -> None:
    cells = [
        GOOD,
        bad("2.13.0", "a.bad"),
        make_cell("2.13.0", "a.gone", Outcome.CRASH),
        make_cell("2.13.0", "a.never", Outcome.NOT_RUN),
        make_cell("2.13.0", "a.absent", Outcome.UNSUPPORTED),
        make_cell("2.14.1", "a.b", Outcome.NOT_RUN),
        make_cell("nightly", "a.b", Outcome.NOT_RUN),
    ]
    found = assessed(cells, BROKEN, MISSING)
    assert found.failures == ("a.bad@2.13.0-cpu", "a.gone@2.13.0-cpu")
    assert found.silent == ("a.never@2.13.0-cpu",)
    assert dict(found.broken) == {BROKEN.id: "import failed"}
    assert found.red == 4
    assert found.unknown == 2
    assert found.tested == ("2.13.0-cpu",)


def test_what_was_not_tested_is_named_in_the_first_line_of_everything() -> None:
    candidate = replace(MISSING, id=make_build("2.16.rc").id, aliases=("2.16.rc",))
    gpu = make_build("nightly", device="cuda", status=Status.UNAVAILABLE, reason="no runner")
    builds = [make_build("2.13.0"), candidate, MISSING, gpu]
    results = report(run_of(20, GOOD, builds=builds))
    assert [(each.names, each.reason) for each in results.assessment.not_tested] == [
        (("2.16.rc",), "no answer"),
        (("nightly",), "no answer"),
        (("nightly",), "no runner"),
    ]
    said = "Nothing unexpected on 1 build"
    missing = "Not tested: 2.16.rc, nightly and nightly cuda."
    first = verdict(results.assessment)
    assert said in first
    assert missing in first
    line = next(each for each in render(results).splitlines() if said in each)
    assert "🟡" in line
    assert missing in line.replace("\\", "")
    assert missing in paragraph(results).replace("\\", "")
    assert "3 not tested" in badge(results.assessment)


def test_cells_of_which_nothing_is_known_are_counted_in_the_first_line() -> None:
    found = assessed([GOOD, *(make_cell("2.13.0", f"a.c{n}", Outcome.SKIP) for n in range(3))])
    assert found.unknown == 3
    assert "3 cells" in verdict(found)


def test_what_is_known_is_counted_and_turns_nothing_red(tmp_path: Path) -> None:
    path = tmp_path / "expectations.toml"
    path.write_text(
        '[[expectation]]\nprobe = "a.c"\noutcome = "fail"\nreason = "r"\n'
        'link = "https://example.org"\nreview_by = 2027-01-01\n'
    )
    run = run_of(20, GOOD, bad("2.13.0", "a.c"))
    found = report(run, expectations=load_expectations(path)).assessment
    assert (found.color, found.known, found.red) == (Color.GREEN, 1, 0)
    assert "1 known failure" in verdict(found)


def test_what_is_lost_against_both_baselines_is_one_thing() -> None:
    def night(day: int, number: int) -> tuple[list[Cell], list[Build]]:
        builds = [make_build("2.15.0"), nightly(day)]
        return [copies("2.15.0", 1), copies(nightly(day).id.name, number)], builds

    nights = [
        run_of(day, *night(day, n)[0], builds=night(day, n)[1]) for day, n in ((20, 1), (21, 4))
    ]
    found = report(*nights).assessment
    assert {name: len(groups) for name, groups in found.alarms.items()} == {
        "previous": 1,
        "stable": 1,
    }
    assert found.red == 1
    assert "1 unexpected on 2 builds: 1 answer lost or worse" in verdict(found)


def test_a_failure_that_is_also_lost_is_one_thing() -> None:
    nights = [run_of(20, GOOD, make_cell("2.13.0", "a.c")), run_of(21, GOOD, bad("2.13.0", "a.c"))]
    found = report(*nights).assessment
    assert found.alarms
    assert found.red == 1
    assert "1 unexpected on 1 build: 1 failure." in verdict(found)


def test_a_build_that_broke_is_one_thing() -> None:
    broken = make_build("2.13.0", status=Status.BROKEN, reason="import failed")
    beside = make_cell("2.14.1", "a.b")
    before = run_of(20, GOOD, beside)
    now = run_of(21, silent("2.13.0"), beside, builds=[broken, make_build("2.14.1")])
    found = report(before, now).assessment
    assert found.red == 1
    assert "1 build broken as a whole" in verdict(found)
    assert "answer" not in verdict(found).partition("broken")[0]


def test_failed_controls_prove_nothing(tmp_path: Path) -> None:
    path = tmp_path / "expectations.toml"
    path.write_text('[[control]]\nprobe = "a.control"\nreason = "It has to."\n')
    run = run_of(20, GOOD, bad("2.13.0", "a.control"))
    found = report(run, expectations=load_expectations(path)).assessment
    assert (found.color, found.status) == (Color.GREY, 1)
    assert verdict(found).startswith("This run proves nothing: 1 of its controls failed.")
