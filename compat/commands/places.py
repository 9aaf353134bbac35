"""Where commands keep and find things, below the current folder.

What these are read with is imported where it is used: the names alone stand in the help.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import compat
from compat.builds.spec import OWN_PYTHON
from compat.errors import UsageError
from compat.runs.durable import remove_partial

if TYPE_CHECKING:
    from compat.builds.config import BuildsFile
    from compat.builds.index import Indexes
    from compat.builds.memory import NightlyMemory

HOME = Path(".compat")
RUNS = HOME / "runs"
PLAN = HOME / "plan"
REPORTS = Path("reports")
PUBLISHED_RUNS = REPORTS / "data" / "runs"
# The id of the plan that the reports are of; of two plans the later one's is greater.
PUBLISHED_PLAN = REPORTS / "data" / "plan.txt"
# What is known of nightlies that the index no longer lists: here, in a plan, and in a fresh clone.
NIGHTLIES = HOME / "nightlies.json"
PLANNED_NIGHTLIES = PLAN / "nightlies.json"
PUBLISHED_NIGHTLIES = REPORTS / "data" / "nightlies.json"
# What another machine made of a night, before it takes the place of REPORTS.
HANDED_OVER = HOME / "reports"

_PATIENCE_S = 300


def home_for_builds() -> Path:
    """The full path of :data:`HOME`, which builds have on their search path.

    Raises:
        UsageError: No search path can hold it, or this project.
    """
    for path in (HOME.absolute(), Path(compat.__file__).parents[1]):
        if os.pathsep in str(path):
            raise UsageError(
                f"{path}: expected a path without {os.pathsep!r}, which no PYTHONPATH can hold"
            )
    return HOME.absolute()


def remembered_nightlies() -> NightlyMemory:
    """What is known here of nightlies."""
    from compat.builds.memory import NightlyMemory

    return NightlyMemory(NIGHTLIES, PUBLISHED_NIGHTLIES)


def indexes_of(file: BuildsFile, python: str = OWN_PYTHON) -> Indexes:
    """The indexes that a builds file names, with what is remembered of them."""
    from compat.builds.index import Indexes

    return Indexes(file.pytorch_index, file.timeout_s, python, remembered_nightlies())


@contextmanager
def writing_reports() -> Iterator[None]:
    """What writes below :data:`REPORTS`, or what reports are made from, does so one at a time.

    Raises:
        UsageError: Another process has not come to its end in five minutes.
    """
    from filelock import FileLock, Timeout

    HOME.mkdir(exist_ok=True)
    lock = FileLock(HOME / "reports.lock", timeout=_PATIENCE_S)
    try:
        lock.acquire()
    except Timeout:
        raise UsageError(
            f"{lock.lock_file}: another process writes reports: wait for its end"
        ) from None
    try:
        remove_partial(REPORTS)
        yield
    finally:
        lock.release()
