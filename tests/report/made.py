"""What a run made by hand comes to."""

from __future__ import annotations

from compat.findings.expectations import NONE, Expectations
from compat.findings.results import Results, results_of
from compat.runs.history import EMPTY, History
from compat.runs.model import Run


def results(run: Run, history: History = EMPTY, expectations: Expectations = NONE) -> Results:
    """As the report makes it, without anything that is expected."""
    return results_of(run, history, expectations)
