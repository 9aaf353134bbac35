"""``compat report`` and what answers questions about the latest one: compare, advise, explain."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from compat.commands.places import PLAN, PUBLISHED_RUNS, REPORTS, RUNS, writing_reports
from compat.errors import EXPECTED, UNEXPECTED, UsageError
from compat.findings import advise as advising
from compat.findings.baselines import comparisons
from compat.findings.derive import derive
from compat.findings.expectations import load_expectations
from compat.findings.sides import compare_sides, side_of
from compat.nightly.actions import OUTPUT, SUMMARY, append
from compat.nightly.plan import check_plan, planned_run, received_from_jobs
from compat.report import explain as explaining
from compat.report.advice import advice_text
from compat.report.comparison import comparison_text
from compat.report.repeat import repeat_commands
from compat.report.summary import print_summary
from compat.report.write import HISTORY, LATEST_RUN, README, write_reports
from compat.runs import history as histories
from compat.runs.history import load_history, run_id
from compat.runs.model import Run, Status
from compat.runs.reference import load_latest
from compat.runs.store import RunFolder, merge
from compat.tracking.text import link_to_run


def report(parsed: argparse.Namespace) -> int:
    if parsed.planned and parsed.runs:
        raise UsageError(f"--planned: expected no folders of runs beside it, not {parsed.runs[0]}")
    with writing_reports():
        run = _planned() if parsed.planned else merge(_folders(parsed.runs))
        if not run.cells and all(build.status is Status.OK for build in run.builds):
            raise UsageError("the run has no cells: --probes matched none")
        findings = derive(run, load_expectations())
        history = histories.append(load_history(REPORTS / HISTORY), run)
        compared = comparisons(run, findings, history)
        rest = link_to_run(os.environ) or str(README)
        write_reports(REPORTS, run, findings, compared, history, rest)
        text = (REPORTS / README).read_text(encoding="utf-8")
    print_summary(run, findings, compared, REPORTS / README, Console())
    if parsed.github:
        append(SUMMARY, text)
        # Last: what is not said is not published, however this command ended.
        append(OUTPUT, "made=true\n")
    return UNEXPECTED if findings.unexpected else EXPECTED


def _planned() -> Run:
    """The plan with what its jobs saw; says of what they handed over which is not accepted."""
    check_plan(PLAN, os.environ)
    received = received_from_jobs(PLAN, RunFolder.all(PUBLISHED_RUNS, RUNS))
    for line in received.lines():
        print(f"compat: {line}", file=sys.stderr)
    return planned_run(PLAN, received.folders)


def _folders(paths: Sequence[Path]) -> list[RunFolder]:
    """The runs in these folders; the newest one where there are none."""
    folders = [RunFolder(path) for path in paths]
    for folder in folders:
        if not (folder.path / "header.json").exists():
            raise UsageError(f"{folder.path}: expected the folder of a run, such as .compat/runs/…")
    if folders:
        return folders
    latest = RunFolder.latest(RUNS)
    if latest is None:
        raise UsageError(f"no run below {RUNS}: run nox -s matrix first")
    return [latest]


def compare(parsed: argparse.Namespace) -> int:
    history = load_history(REPORTS / HISTORY)
    expectations = load_expectations()
    old, new = (
        side_of(text, REPORTS / LATEST_RUN, RUNS, history, expectations)
        for text in (parsed.old, parsed.new)
    )
    comparison = compare_sides(old, new, history)
    print(comparison_text(comparison, repeat_commands(new.run) if new.run else {}))
    return UNEXPECTED if comparison.new_groups else EXPECTED


def advise(parsed: argparse.Namespace) -> int:
    run = load_latest(REPORTS / LATEST_RUN)
    builds = advising.builds_in(run, parsed.torch)
    if not builds:
        there = ", ".join(build.label for build in run.builds)
        raise UsageError(f"--torch '{parsed.torch}': no build of the latest run; it has {there}")
    findings = derive(run, load_expectations())
    print(advice_text(advising.advise(run, findings, builds), builds, run_id(run)))
    return 0


def explain(parsed: argparse.Namespace) -> int:
    run = load_latest(REPORTS / LATEST_RUN)
    history = histories.append(load_history(REPORTS / HISTORY), run)
    print(explaining.explain(parsed.cell, run, derive(run, load_expectations()), history))
    return 0
