"""What people read, word for word: ``UPDATE_GOLDEN=1 pytest tests/report`` writes it anew."""

from __future__ import annotations

import os
from dataclasses import replace

import pytest
from packaging.specifiers import SpecifierSet

from compat.findings.advise import advise, builds_in
from compat.findings.baselines import comparisons
from compat.findings.compare import seen_in_run
from compat.findings.derive import derive
from compat.findings.expectations import load_expectations
from compat.findings.sides import Side, compare_sides
from compat.report.advice import advice_text
from compat.report.badge import badge
from compat.report.comparison import comparison_text
from compat.report.explain import explain
from compat.report.markdown import render
from compat.report.paragraph import paragraph
from compat.report.repeat import repeat_commands
from compat.runs.history import EMPTY, append
from compat.runs.model import Outcome, Run
from compat.runs.store import load
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


def test_report(before: Run, now: Run) -> None:
    findings = derive(now, load_expectations())
    compared = comparisons(now, findings, append(append(EMPTY, before), now))
    check("report.md", render(now, findings, compared))
    check("summary.md", paragraph(now, findings, compared) + "\n")
    check("badge.svg", badge(now, findings))


def test_an_unhealthy_report(before: Run, now: Run) -> None:
    cells = [
        replace(cell, metrics={**cell.metrics, "needed": False})
        if cell.probe == "tracing_context.needed"
        else cell
        for cell in now.cells
    ]
    run = replace(now, cells=tuple(cells))
    findings = derive(run, load_expectations())
    compared = comparisons(run, findings, append(append(EMPTY, before), run))
    text = render(run, findings, compared)
    check("unhealthy.md", text[: text.index("## Overview")])
    check("unhealthy-summary.md", paragraph(run, findings, compared) + "\n")
    check("unhealthy-badge.svg", badge(run, findings))


def side(run: Run, build: str) -> Side:
    findings = derive(run, load_expectations())
    builds = [each for each in seen_in_run(run, findings) if each.column.build == build]
    return Side(
        name=build, builds=builds, run=run, whole=False, failed_controls=findings.failed_controls
    )


def test_compare(now: Run) -> None:
    comparison = compare_sides(side(now, "2.12.1"), side(now, "2.13.0"), EMPTY)
    check("compare.txt", comparison_text(comparison, repeat_commands(now)) + "\n")


def test_advise(before: Run) -> None:
    builds = builds_in(before, SpecifierSet(">=2.11,<2.14"))
    advice = advise(before, derive(before, load_expectations()), builds)
    check("advise.txt", advice_text(advice, builds, "2026-11-22T222304.281Z") + "\n")


def test_explain(before: Run, now: Run) -> None:
    findings = derive(now, load_expectations())
    history = append(append(EMPTY, before), now)
    check("explain.txt", explain(VICTIMS[0], now, findings, history) + "\n")
    check("explain-everywhere.txt", explain("donation.copies[donated]", now, findings, history))
