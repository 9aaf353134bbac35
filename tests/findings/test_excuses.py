"""Which builds are ready for whom: nothing that breaks, or was not tested, is called ready."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from compat.findings.excuses import Ready, to_run_again
from compat.findings.results import Results
from compat.report.excuses import excuse_command, excuses_markdown, reasons, sentence
from compat.runs.ids import BUILTIN
from compat.runs.model import Outcome, Pair, Run, Status, Subject
from tests.conftest import make_build, make_cell, make_run
from tests.report.made import results

NO = "AssertionError: no @ torch._inductor:standalone_compile"
STABLE, RC = "2.15.0", "2.16.0rc1"
VLLM = "vllm-0.33.0"


def run_of(
    endings: Mapping[str, Outcome], *, subject: str = BUILTIN, supported: bool = True
) -> Run:
    """A release on which all passes, and a candidate on which checks of a path end as said."""
    builds = [make_build(STABLE), make_build(RC, channel="test")]
    cells = [
        replace(
            make_cell(
                build,
                name,
                outcome,
                params={"path": "legacy"},
                signature="" if outcome is Outcome.PASS else NO,
            ),
            subject=subject,
        )
        for build, ending in ((STABLE, dict.fromkeys(endings, Outcome.PASS)), (RC, endings))
        for name, outcome in ending.items()
    ]
    run = make_run(builds, cells)
    if subject == BUILTIN:
        return run
    claimed = {STABLE: True, RC: supported}
    return replace(
        run,
        subjects=(Subject(id=subject, requested="vllm==0.33.0", requires="==2.15.0"),),
        pairs=tuple(
            Pair(subject=subject, build=build.id, supported=claimed[build.id.name])
            for build in builds
        ),
    )


def test_a_candidate_that_fails_is_not_ready_and_its_cells_are_to_be_run_again() -> None:
    found = results(run_of({"a.b": Outcome.FAIL, "a.c": Outcome.PASS}))
    (excuse,) = found.excuses
    assert (excuse.ready, excuse.build.name) == (Ready.NOT_READY, RC)
    assert sentence(excuse) == (
        "2.16.0rc1 is not ready for the builtin interface: 1 new failure; first seen on 2.16.0rc1 "
        "(2026-11-22)."
    )
    assert reasons(excuse) == [(NO, 1)]
    assert excuse_command(excuse, found.run) == (
        "nox -s matrix -- --builds ==2.16.0rc1 --device cpu --fresh --cells reports/data/rerun.txt"
    )
    assert to_run_again(found.matrix, found.excuses) == ["a.b[legacy]@2.16.0rc1-cpu"]


def test_a_subject_and_its_path_are_named() -> None:
    found = results(run_of({"x.loaded": Outcome.ERROR}, subject=VLLM))
    (excuse,) = [each for each in found.excuses if each.subject == VLLM]
    assert sentence(excuse).startswith("2.16.0rc1 is not ready for vLLM 0.33.0, path legacy: 1 new")
    assert "--subject vllm==0.33.0" in excuse_command(excuse, found.run)


def test_a_suite_is_run_again_by_the_command_that_ran_it() -> None:
    requested = "--name mine -- pytest tests"
    run = run_of({"suite.test": Outcome.FAIL}, subject="suite-mine")
    found = results(replace(run, subjects=(Subject(id="suite-mine", requested=requested),)))
    (excuse,) = [each for each in found.excuses if each.subject == "suite-mine"]
    assert excuse_command(excuse, found.run) == (
        f"compat run --builds ==2.16.0rc1 --device cpu --alone --fresh {requested}"
    )


def test_what_broke_where_it_is_not_claimed_is_never_called_ready() -> None:
    run = run_of({"x.loaded": Outcome.UNSUPPORTED}, subject=VLLM, supported=False)
    # Nothing was seen of it on the release, so that nothing is lost either.
    run = replace(run, cells=tuple(cell for cell in run.cells if cell.build.name == RC))
    passed = make_cell(RC, "a.b")
    found = results(replace(run, cells=(*run.cells, passed)))
    (excuse,) = [each for each in found.excuses if each.subject == VLLM]
    assert excuse.ready is Ready.BREAKS
    assert sentence(excuse) == (
        "2.16.0rc1 breaks vLLM 0.33.0, path legacy: 1 of 1 cells, none of them new. It requires "
        "torch==2.15.0, so this turns nothing red."
    )
    assert "is ready for the builtin interface" in excuses_markdown(found)
    assert "is ready for vLLM" not in excuses_markdown(found)


def test_what_breaks_on_the_torch_that_a_subject_requires_is_no_fault_of_another() -> None:
    endings = {"x.loaded": Outcome.UNSUPPORTED, "x.again": Outcome.PASS}
    run = run_of(endings, subject=VLLM, supported=False)
    cells = tuple(
        replace(cell, outcome=Outcome.ERROR, signature=NO)
        if (cell.build.name, cell.probe) == (STABLE, "x.loaded")
        else cell
        for cell in run.cells
    )
    found = results(replace(run, cells=cells))
    (excuse,) = [each for each in found.excuses if (each.subject, each.build.name) == (VLLM, RC)]
    assert (excuse.ready, excuse.known, excuse.broken) == (Ready.READY, 1, {})
    assert "vLLM 0.33.0 (2 cells, 1 known failure, requires torch==2.15.0)" in sentence(excuse)


def test_what_passed_on_the_release_and_breaks_on_an_unclaimed_candidate_is_lost() -> None:
    found = results(run_of({"x.loaded": Outcome.UNSUPPORTED}, subject=VLLM, supported=False))
    (excuse,) = [each for each in found.excuses if each.subject == VLLM]
    assert excuse.ready is Ready.NOT_READY
    assert "1 answer lost or worse" in sentence(excuse)


def test_what_was_not_tested_is_said_and_how_to_test_it() -> None:
    missing = make_build("2.16.rc", status=Status.UNAVAILABLE, channel="", reason="no index")
    found = results(make_run([make_build(STABLE), missing], [make_cell(STABLE, "a.b")]))
    (excuse,) = found.excuses
    assert excuse.ready is Ready.NOT_TESTED
    assert sentence(excuse) == "2.16.rc was not tested: no index."
    assert excuse_command(excuse, found.run) == "nox -s matrix -- --builds 2.16.rc --device cpu"
    assert to_run_again(found.matrix, found.excuses) == []


def test_ready_is_one_line_for_all_subjects() -> None:
    found = results(run_of({"a.b": Outcome.PASS}))
    assert excuses_markdown(found) == (
        "- ✅ 2.16.0rc1 is ready for the builtin interface \\(1 cell\\): on a CPU nothing failed "
        f"that is not expected, and nothing was lost against {STABLE} that is not expected."
    )
    assert found.excuses[0].twin == STABLE


def ready_of(found: Results) -> list[Ready]:
    return [excuse.ready for excuse in found.excuses]


def test_a_build_that_broke_as_a_whole_is_not_ready() -> None:
    broken = make_build(RC, channel="test", status=Status.BROKEN, reason="it did not import")
    found = results(make_run([make_build(STABLE), broken], [make_cell(STABLE, "a.b")]))
    assert ready_of(found) == [Ready.NOT_READY]
    assert "it did not import" in sentence(found.excuses[0])
