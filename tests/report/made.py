"""What a run made by hand comes to."""

from __future__ import annotations

from collections.abc import Mapping

from compat.findings.expectations import NONE, Expectations
from compat.findings.results import Results, results_of
from compat.runs.answers import Ending
from compat.runs.history import EMPTY, Column, Entry, History
from compat.runs.ids import CheckId
from compat.runs.model import Run


def results(run: Run, history: History = EMPTY, expectations: Expectations = NONE) -> Results:
    """As the report makes it, without anything that is expected."""
    return results_of(run, history, expectations)


def history_of(columns: Mapping[Column, Mapping[CheckId, Ending]]) -> History:
    return History([Entry(column=c, endings=e, answers={}) for c, e in columns.items()])
