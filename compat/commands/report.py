"""``compat report``: everything below ``reports/``, from runs."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from compat.commands.places import PLAN, PUBLISHED_RUNS, REPORTS, RUNS, writing_reports
from compat.document.escape import printed
from compat.errors import UsageError
from compat.findings.awaits import load_awaits
from compat.findings.expectations import Expectations, load_expectations
from compat.findings.results import Results, results_of
from compat.nightly.actions import OUTPUT, SUMMARY, append, link_to_run, why_blind
from compat.report.cut import SUMMARY_LIMIT, cut
from compat.report.first import first_screen
from compat.report.places import HISTORY, README
from compat.report.summary import print_summary
from compat.report.write import write_reports
from compat.runs.history import load_history
from compat.runs.model import Run, Status
from compat.runs.reference import load_latest
from compat.runs.store import RunFolder, merge

_OF_NO_USE = "What follows proves nothing, is not published, and no issue is written from it."


def report(parsed: argparse.Namespace) -> int:
    if parsed.planned and parsed.runs:
        raise UsageError(f"--planned: expected no folders of runs beside it, not {parsed.runs[0]}")
    with writing_reports():
        results = reported(_planned() if parsed.planned else _named(parsed.runs))
    if parsed.github:
        say_in_job(results)
    return results.assessment.status


def say_in_job(results: Results) -> None:
    """Give a job on GitHub its summary, and its other steps the word that reports were made."""
    blind = why_blind(os.environ)
    warning = f"**❌ {blind} {_OF_NO_USE}**\n\n" if blind else ""
    # No link into the reports: a summary lies elsewhere.
    screen = f"{warning}{first_screen(results)}\n"
    append(SUMMARY, cut(screen, SUMMARY_LIMIT, link_to_run(os.environ)))
    # Last: what is not said is not published, however this command ended.
    append(OUTPUT, "made=true\n")


def reported(run: Run, expectations: Expectations | None = None) -> Results:
    """Make the tables from a run, while nobody else does.

    The project's own file says what is expected, unless that is given.
    """
    if not run.cells and all(build.status is Status.OK for build in run.builds):
        raise UsageError("the run has no cells: --probes matched none")
    expectations = expectations or load_expectations()
    results = results_of(run, load_history(REPORTS / HISTORY), expectations, load_awaits())
    write_reports(REPORTS, results, link_to_run(os.environ) or str(README))
    print_summary(results, REPORTS / README, Console())
    return results


def _planned() -> Run:
    """The plan with what its jobs saw; says of what they handed over which is not accepted."""
    from compat.nightly.plan import check_plan, planned_run, received_from_jobs

    check_plan(PLAN, os.environ)
    received = received_from_jobs(PLAN, RunFolder.all(PUBLISHED_RUNS, RUNS))
    for line in received.lines():
        print(printed(f"compat: {line}"), file=sys.stderr)
    return planned_run(PLAN, received.folders)


def _named(paths: Sequence[Path]) -> Run:
    """What was seen in these folders, and in runs as they were published; else the newest."""
    if not paths:
        return merge([_latest()])
    published = [load_latest(path) for path in paths if path.is_file()]
    folders = [_folder(path) for path in paths if not path.is_file()]
    if len(published) == 1 and not folders:
        return published[0]
    return merge(folders, published)


def _folder(path: Path) -> RunFolder:
    if not (path / "header.json").exists():
        raise UsageError(
            f"{path}: expected the folder of a run, such as .compat/runs/…, or a run.json"
        )
    return RunFolder(path)


def _latest() -> RunFolder:
    latest = RunFolder.latest(RUNS)
    if latest is None:
        raise UsageError(f"no run below {RUNS}: run nox -s matrix first")
    return latest
