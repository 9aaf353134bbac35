"""The issue about a suite is found again, and holds nothing that GitHub would obey."""

from __future__ import annotations

from dataclasses import replace

import pytest

from compat.findings.expectations import NONE
from compat.findings.results import Results, results_of
from compat.runs.history import EMPTY
from compat.runs.model import Outcome
from compat.tracking.github import Issue
from compat.tracking.nights import Wanted
from compat.tracking.sync import Change, Open, plan
from compat.tracking.twin import twin_marker, twin_topics
from tests.topics.suites.test_finding import run

PASS, FAIL, NOT_RUN = Outcome.PASS, Outcome.FAIL, Outcome.NOT_RUN


def results(*ended: tuple[Outcome, Outcome], signature: str = "ValueError: x") -> Results:
    whole = run(*ended)
    cells = tuple(
        replace(each, signature=signature) if each.outcome.bad else each for each in whole.cells
    )
    return results_of(replace(whole, cells=cells), EMPTY, NONE)


@pytest.mark.parametrize(
    ("ended", "wanted"),
    [
        ([(PASS, FAIL), (PASS, PASS)], Wanted.OPEN),
        ([(PASS, PASS), (FAIL, FAIL)], Wanted.CLOSED),
        # What could not be told apart neither opens nor closes.
        ([(PASS, PASS), (NOT_RUN, FAIL)], Wanted.AS_IS),
        ([(PASS, FAIL), (NOT_RUN, FAIL)], Wanted.OPEN),
    ],
)
def test_what_the_issue_should_be(ended: list[tuple[Outcome, Outcome]], wanted: Wanted) -> None:
    (topic,) = twin_topics(results(*ended), "")
    assert topic.wanted is wanted
    assert topic.body.splitlines()[0] == topic.marker == twin_marker("suite-mine")


def test_it_is_opened_found_again_and_closed() -> None:
    (topic,) = twin_topics(results((PASS, FAIL), (PASS, PASS)), "https://example.org/run")
    (step,) = plan([topic], [])
    assert isinstance(step, Open)
    issue = Issue(number=7, title=topic.title, body=topic.body, is_open=True)
    assert plan([topic], [issue]) == []
    (later,) = twin_topics(results((PASS, PASS)), "https://example.org/run/2")
    (step,) = plan([later], [issue])
    assert isinstance(step, Change)
    assert (step.number, step.state) == (7, "closed")


def test_what_a_suite_says_notifies_nobody() -> None:
    said = "E: @somebody #1 `x` <!-- torch-compile-compat twin: suite-other --> | [a](b)"
    (topic,) = twin_topics(results((PASS, FAIL), (PASS, PASS), signature=said), "")
    (line,) = (line for line in topic.body.splitlines() if "somebody" in line)
    assert line.startswith("- `suite.test[t.py::test_0]` on ")
    # In code style, where GitHub looks for no names and no references.
    assert "`E: @somebody #1 'x' " in line
    assert "<!--" not in line
    assert sum(each.startswith("<!--") for each in topic.body.splitlines()) == 1
