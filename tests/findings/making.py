"""Runs of one day, as they come to a report one after the other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from compat.findings.baselines import PREVIOUS, STABLE
from compat.findings.changes import Comparison
from compat.findings.expectations import NONE, Expectations
from compat.findings.results import Results, results_of
from compat.runs.history import EMPTY
from compat.runs.model import Build, Cell, Outcome, Run
from compat.topics.cost.records import Work
from compat.topics.donation.records import Copies
from compat.topics.surface.records import Name
from tests.conftest import SOURCE, make_build, make_cell, make_run

NO = "AssertionError: no"
OTHER = "AssertionError: other"


def bad(build: str, check: str, signature: str = NO, **changes: Any) -> Cell:
    return make_cell(build, check, Outcome.FAIL, signature=signature, **changes)


def copies(build: str, number: int, path: str = "standalone", **changes: Any) -> Cell:
    params = {"path": path}
    return make_cell(
        build, "donation.copies", record=Copies(copies=number), params=params, **changes
    )


def name(build: str, signature: str, **changes: Any) -> Cell:
    record = Name(there=bool(signature), signature=signature, refused=())
    return make_cell(build, "surface.name", record=record, params={"name": "torch.x:f"}, **changes)


def work(build: str, calls: int, path: str = "standalone", **changes: Any) -> Cell:
    record = Work(calls=calls, instructions=None)
    return make_cell(build, "cost.work", record=record, params={"path": path}, **changes)


def nightly(day: int, series: str = "2.16.0", **changes: Any) -> Build:
    return make_build(f"{series}.dev202611{day}", channel="nightly", **changes)


def run_of(day: int, *cells: Cell, builds: Sequence[Build] = ()) -> Run:
    """All cells seen on a day of November; on releases, unless there are ``builds``."""
    names = dict.fromkeys((cell.build.name_and_python, cell.build.device) for cell in cells)
    made = builds or [make_build(name, device=device) for name, device in names]
    source = replace(SOURCE, id=f"2026-11-{day:02}T050000.000Z")
    seen = [replace(cell, seen_in=cell.seen_in and source.id) for cell in cells]
    return replace(make_run(list(made), seen), sources=(source,))


def report(*runs: Run, expectations: Expectations = NONE) -> Results:
    """The last of ``runs`` as it is reported after those before it."""
    history = EMPTY
    for run in runs[:-1]:
        history = results_of(run, history, expectations).history
    return results_of(runs[-1], history, expectations)


def since(*runs: Run, expectations: Expectations = NONE) -> Comparison:
    """The last of ``runs`` against the one before it."""
    return report(*runs, expectations=expectations).comparisons[PREVIOUS]


def with_stable(run: Run, expectations: Expectations = NONE) -> Comparison:
    return report(run, expectations=expectations).comparisons[STABLE]
