"""What answers questions about the latest report: compare, advise, explain."""

from __future__ import annotations

import argparse

from packaging.specifiers import SpecifierSet

from compat.commands.compared import compare_named, side_of
from compat.commands.places import REPORTS, RUNS
from compat.errors import EXPECTED, UNEXPECTED, UsageError
from compat.findings.advise import builds_in
from compat.findings.awaits import load_awaits
from compat.findings.expectations import load_expectations
from compat.findings.results import Results, results_of
from compat.report import explain as explaining
from compat.report.advice import advice_text, ask
from compat.report.comparison import comparison_text
from compat.report.places import HISTORY, LATEST_RUN
from compat.report.repeat import RepeatCommands
from compat.runs.history import load_history
from compat.runs.ids import BUILTIN
from compat.runs.reference import load_latest

ANY = SpecifierSet()


def latest() -> Results:
    """What the latest report is about."""
    run = load_latest(REPORTS / LATEST_RUN)
    history = load_history(REPORTS / HISTORY)
    return results_of(run, history, load_expectations(), load_awaits())


def compare(parsed: argparse.Namespace) -> int:
    history = load_history(REPORTS / HISTORY)
    expectations = load_expectations()
    old, new = (
        side_of(text, REPORTS / LATEST_RUN, RUNS, history, expectations)
        for text in (parsed.old, parsed.new)
    )
    comparison = compare_named(old, new, history)
    commands = RepeatCommands(new.results.run) if new.results else {}
    print(comparison_text(comparison, commands))
    return UNEXPECTED if comparison.alarms else EXPECTED


def advise(parsed: argparse.Namespace) -> int:
    results = latest()
    subject = _subject(parsed.subject, results) if parsed.subject else ""
    asked = ask(results, parsed.torch, subject)
    if not asked.builds:
        there = ", ".join(build.label for build in builds_in(results.matrix, ANY, subject))
        whose = f" with {subject}" if subject else ""
        raise UsageError(
            f"--torch '{parsed.torch}': no build of the latest run{whose}; it has {there}"
        )
    print(advice_text(asked, results))
    return 0


def _subject(text: str, results: Results) -> str:
    """The id of a subject that the run has, from that or from its spec.

    Raises:
        UsageError: The run has no such subject.
    """
    if text == BUILTIN:
        return BUILTIN
    for subject in results.run.subjects:
        if text in {subject.id, subject.requested}:
            return subject.id
    there = ", ".join([BUILTIN, *(each.requested for each in results.run.subjects)])
    raise UsageError(f"--subject {text!r}: the latest run does not have it; it has {there}")


def explain(parsed: argparse.Namespace) -> int:
    print(explaining.explain(parsed.cell, latest()))
    return 0
