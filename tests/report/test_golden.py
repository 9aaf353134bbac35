"""What people read, word for word: ``UPDATE_GOLDEN=1 pytest tests/report`` writes it anew."""

from __future__ import annotations

import io
import os
from dataclasses import replace
from pathlib import Path

import pytest
from packaging.specifiers import SpecifierSet
from rich.console import Console

from compat.commands.compared import Side, compare_named
from compat.findings.expectations import load_expectations
from compat.findings.results import Results, results_of
from compat.report.advice import advice_text, ask
from compat.report.badge import badge
from compat.report.comparison import comparison_text, title
from compat.report.explain import explain
from compat.report.markdown import render
from compat.report.paragraph import paragraph
from compat.report.repeat import RepeatCommands
from compat.report.summary import print_summary
from compat.runs.history import EMPTY
from compat.runs.ids import BuildId
from compat.runs.model import Outcome, Run
from compat.runs.store import load
from compat.topics.records import encode
from compat.topics.tracing_context.records import Needed
from tests.conftest import RECORDED, ROOT

GOLDEN = ROOT / "tests" / "report" / "golden"
VICTIMS = ("donation.copies[donated]@2.13.0-cpu", "gates.shared_fake_mode[argument]@2.13.0-cpu")


def check(name: str, text: str) -> None:
    path = GOLDEN / name
    if os.environ.get("UPDATE_GOLDEN"):
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8"), f"{path} says something else"


@pytest.fixture(scope="module")
def before() -> Run:
    """A few cells of 2.10 to 2.13, as they were really seen."""
    return load(RECORDED)


@pytest.fixture(scope="module")
def now(before: Run) -> Run:
    """The same a day later, with two probes that fail on 2.13 for the same reason."""
    source = replace(
        before.sources[-1], id="2026-11-23T050000.000Z", started="2026-11-23T05:00:00+00:00"
    )
    cells = [
        replace(
            cell,
            outcome=Outcome.FAIL,
            reason="it <broke> | today",
            signature="AssertionError: it <broke> | today @ torch._inductor:standalone_compile",
            message="E   AssertionError: it <broke> | today\n\x1b[31mtest_donation.py:1",
            seen_in=source.id,
        )
        if cell.id in VICTIMS
        else cell
        for cell in before.cells
    ]
    return replace(before, sources=(*before.sources, source), cells=tuple(cells))


@pytest.fixture(scope="module")
def results(before: Run, now: Run) -> Results:
    expected = load_expectations()
    return results_of(now, results_of(before, EMPTY, expected).history, expected)


def test_report(results: Results) -> None:
    check("report.md", render(results))
    check("summary.md", paragraph(results) + "\n")
    check("badge.svg", badge(results.assessment))


def test_a_terminal_shows_what_alarms_and_leaves_the_rest_to_the_report(results: Results) -> None:
    out = io.StringIO()
    print_summary(results, Path("reports/README.md"), Console(file=out, width=100))
    shown = out.getvalue()
    groups = [group for each in results.comparisons.values() for group in each.groups]
    assert {group.alarms for group in groups} == {True, False}
    for group in groups:
        assert (title(group) in shown) == group.alarms
    check("terminal.txt", shown)


def test_a_report_that_proves_nothing(now: Run) -> None:
    cells = [
        replace(cell, record=encode(cell.probe, Needed(needed=False, failure="")))
        if cell.probe == "tracing_context.needed"
        else cell
        for cell in now.cells
    ]
    results = results_of(replace(now, cells=tuple(cells)), EMPTY, load_expectations())
    text = render(results)
    check("unhealthy.md", text[: text.index("## Failures")])
    check("unhealthy-summary.md", paragraph(results) + "\n")
    check("unhealthy-badge.svg", badge(results.assessment))


def side(results: Results, build: str) -> Side:
    entries = [entry for entry in results.entries if entry.column.build == build]
    return Side(name=BuildId(build).label, entries=entries, results=results, whole=False)


def test_compare(results: Results) -> None:
    sides = (side(results, "2.12.1-cpu"), side(results, "2.13.0-cpu"))
    comparison = compare_named(*sides, EMPTY)
    text = comparison_text(comparison, RepeatCommands(results.run))
    check("compare.txt", text + "\n")


def test_advise(before: Run) -> None:
    results = results_of(before, EMPTY, load_expectations())
    asked = ask(results, SpecifierSet(">=2.11,<2.14"))
    check("advise.txt", advice_text(asked, results) + "\n")


def test_explain(results: Results) -> None:
    check("explain.txt", explain(VICTIMS[0], results) + "\n")
    check("explain-everywhere.txt", explain("donation.copies[donated]", results) + "\n")
