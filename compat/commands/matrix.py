"""``compat matrix``: probe builds, then make the tables from just that run."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from itertools import islice

from compat.commands.alone import BROKEN, RIGHT, Limits, run_alone
from compat.commands.places import REPORTS, writing_reports
from compat.commands.probe import probe_as_parsed
from compat.commands.report import reported
from compat.commands.repro import right_beside
from compat.document.escape import printed
from compat.errors import CommandError
from compat.findings.results import Results
from compat.report.attached import attached
from compat.report.failures import Kind, failures
from compat.report.places import REPROS
from compat.report.repeat import spec_of
from compat.runs.model import Build, Cell, Run
from compat.runs.store import merge

# Of the files of failures that nothing expects, each of which runs on two builds.
_MOST = 5


def matrix(parsed: argparse.Namespace) -> int:
    probed = probe_as_parsed(parsed)
    with writing_reports():
        # Not the newest by name: the clock may have gone back since that one was made.
        results = reported(merge([probed]))
    for line in _run_new(results, Limits(timeout_s=parsed.timeout, memory_gb=parsed.memory)):
        print(printed(line), flush=True)
    return results.assessment.status


def _run_new(results: Results, limits: Limits) -> Iterator[str]:
    """Whether the files of new failures show these; that is told, and decides nothing."""
    files = attached(results)
    names = [
        name
        for failure in failures(results)
        if failure.kind is Kind.NEW and (name := files.names.get(failure.cells[0].id))
    ]
    for name in islice(names, _MOST):
        yield f"{REPORTS / REPROS / name}:"
        yield from (
            f"  {line}" for line in _run_one(name, files.made_of[name], results.run, limits)
        )
    if len(names) > _MOST:
        yield f"{REPORTS / REPROS} has files of {len(names) - _MOST} more new failures: not run"


def _run_one(name: str, cell: Cell, run: Run, limits: Limits) -> Iterator[str]:
    (build,) = (each for each in run.builds if each.id == cell.build)
    twin = right_beside(run, cell, lambda _: True)
    expected = {_here(build): BROKEN} | ({_here(twin): RIGHT} if twin else {})
    try:
        for ended in run_alone(REPORTS / REPROS / name, cell, expected, limits):
            yield ended.text
    except (CommandError, OSError) as error:
        yield f"not run: {error}"
    if twin is None:
        yield "no build of this run passes the check"


def _here(build: Build) -> str:
    """What names a build on the machine that just ran it."""
    return build.requested if build.wheel is None else spec_of(build)
