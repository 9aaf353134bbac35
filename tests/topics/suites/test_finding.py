"""Verdicts on the checks of a suite, beside the stable twin."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from compat.findings.answers import all_answers
from compat.findings.derive import derive
from compat.findings.expectations import NONE
from compat.findings.results import results_of
from compat.runs.history import EMPTY
from compat.runs.ids import BuildId
from compat.runs.model import Attempt, Cell, Outcome, Pair, Run, Subject
from compat.topics.matrix import Matrix
from compat.topics.suites.finding import Verdict, find
from compat.topics.suites.view import say, show
from tests.conftest import make_build, make_cell, make_run

TWIN, BUILD = "2.15.0", "2.16.0.dev20261120"
FLAKY = "flaky"


def cell(build: str, ended: Outcome | str, test: str) -> Cell:
    outcome = Outcome.FAIL if ended == FLAKY else Outcome(ended)
    changes: dict[str, Any] = {"signature": "ValueError: x"} if outcome.bad else {}
    if ended == FLAKY:
        changes["first"] = Attempt(outcome=Outcome.PASS)
    return make_cell(
        build, "suite.test", outcome, subject="suite-mine", params={"test": test}, **changes
    )


def run(*ended: tuple[Outcome | str, Outcome | str]) -> Run:
    """On the twin and on the build, test by test."""
    builds = [make_build(TWIN, channel="stable"), make_build(BUILD, channel="nightly")]
    cells = [
        cell(build, outcome, f"t.py::test_{number}")
        for number, both in enumerate(ended)
        for build, outcome in zip((TWIN, BUILD), both, strict=True)
    ]
    return replace(
        make_run(builds, cells),
        subjects=(Subject(id="suite-mine", requested="--name mine -- pytest"),),
        pairs=tuple(Pair(subject="suite-mine", build=build.id, supported=True) for build in builds),
    )


@pytest.mark.parametrize(
    ("twin", "build", "verdict", "red"),
    [
        (Outcome.PASS, Outcome.PASS, Verdict.SAME, 0),
        (Outcome.PASS, Outcome.FAIL, Verdict.REGRESSED, 1),
        (Outcome.PASS, Outcome.CRASH, Verdict.REGRESSED, 1),
        (Outcome.PASS, Outcome.TIMEOUT, Verdict.REGRESSED, 1),
        (Outcome.ERROR, Outcome.FAIL, Verdict.BROKEN_ON_BOTH, 0),
        (Outcome.ERROR, Outcome.PASS, Verdict.FIXED, 0),
        # Expected to fail there, and it passes here.
        (Outcome.UNSUPPORTED, Outcome.PASS, Verdict.FIXED, 0),
        (Outcome.UNSUPPORTED, Outcome.UNSUPPORTED, Verdict.NOT_ASKED, 0),
        (Outcome.PASS, FLAKY, Verdict.FLAKY, 0),
        (FLAKY, Outcome.PASS, Verdict.FLAKY, 0),
        (Outcome.NOT_RUN, Outcome.FAIL, Verdict.INCONCLUSIVE, 0),
        (Outcome.PASS, Outcome.NOT_RUN, Verdict.INCONCLUSIVE, 0),
        (Outcome.SKIP, Outcome.FAIL, Verdict.NOT_ASKED, 0),
        (Outcome.PASS, Outcome.SKIP, Verdict.NOT_ASKED, 0),
    ],
)
def test_verdicts(twin: Outcome | str, build: Outcome | str, verdict: Verdict, red: int) -> None:
    matrix = Matrix(run((twin, build)))
    (beside,) = find(matrix).beside
    assert [each.verdict for each in beside.judged] == [verdict]
    assert (beside.twin, beside.build) == (BuildId(f"{TWIN}-cpu"), BuildId(f"{BUILD}-cpu"))
    assert len(derive(matrix, all_answers(matrix)).unexpected) == red


def test_a_failure_that_says_something_else_on_the_twin_is_no_alarm() -> None:
    whole = run((Outcome.FAIL, Outcome.FAIL), (Outcome.PASS, Outcome.PASS))
    cells = tuple(
        replace(each, signature=f"AssertionError: {each.build}") if each.outcome.bad else each
        for each in whole.cells
    )
    assert results_of(replace(whole, cells=cells), EMPTY, NONE).assessment.status == 0
    worse = run((Outcome.PASS, Outcome.FAIL), (Outcome.PASS, Outcome.PASS))
    assert results_of(worse, EMPTY, NONE).assessment.status == 1


def test_what_it_says() -> None:
    matrix = Matrix(run((Outcome.PASS, Outcome.FAIL), (Outcome.PASS, Outcome.PASS)))
    found = find(matrix)
    (sentence,) = say(matrix, found)
    assert sentence.title == f"suite-mine on {BUILD}: 1 regressed"
    assert "Regressed: suite.test[t.py::test_0]" in sentence.text
    (section,) = show(matrix, found)
    overview, listed = section.tables
    assert len(overview.rows) == 1
    assert [row[0] for row in listed.rows] == ["regressed"]


def test_without_a_twin_there_is_no_verdict() -> None:
    whole = run((Outcome.PASS, Outcome.FAIL))
    alone = replace(
        whole,
        builds=whole.builds[1:],
        pairs=whole.pairs[1:],
        cells=tuple(each for each in whole.cells if each.build.name == BUILD),
    )
    matrix = Matrix(alone)
    assert find(matrix).beside == ()
    assert len(derive(matrix, all_answers(matrix)).unexpected) == 1
