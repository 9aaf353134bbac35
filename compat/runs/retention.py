"""How long runs are remembered, and what of them is published.

Runs are kept for 30 days, so that also what never changes is seen again once a month. Published is,
of each build on each device, the newest stream that came to its end.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Sequence
from contextlib import suppress
from datetime import datetime, timedelta, timezone
from pathlib import Path

from compat.runs.contents import read_contents
from compat.runs.durable import remove_partial
from compat.runs.store import RunFolder
from compat.runs.stream import Stream

KEPT_DAYS = 30


def is_remembered(seen_in: str) -> bool:
    """Whether what an execution saw still holds, by its id, which begins with the day.

    What was seen on a day that is yet to come was seen under a clock that was wrong.
    """
    return _day(-KEPT_DAYS) <= seen_in < _day(1)


def _day(days: int) -> str:
    """So many days from now, as ids begin."""
    return f"{datetime.now(timezone.utc) + timedelta(days=days):%Y-%m-%d}"


def prune(parent: Path) -> None:
    """Remove the runs below ``parent`` that began more than 30 days before the newest of them.

    Before now, if that is earlier: a clock that is ahead, be it now or when one run was made, must
    not make all the others old. What never became a run, since whoever made it was killed, goes
    too.
    """
    remove_partial(parent)
    for folder in parent.glob("*"):
        # Only an empty folder can be removed in this way.
        with suppress(OSError):
            folder.rmdir()
    began = {run.path: datetime.fromisoformat(run.source.started) for run in RunFolder.all(parent)}
    newest = min([datetime.now(timezone.utc), *sorted(began.values())[-1:]])
    for path, time in began.items():
        if time < newest - timedelta(days=KEPT_DAYS):
            shutil.rmtree(path)


def collect(folders: Iterable[RunFolder], target: Path) -> None:
    """Put ``folders`` beside those below ``target``."""
    for folder in folders:
        shutil.copytree(folder.path, target / folder.path.name, dirs_exist_ok=True)


def keep_newest(folders: Sequence[RunFolder], target: Path) -> None:
    """Make ``target`` hold the newest whole stream of each build in ``folders``, oldest first."""
    newest: dict[str, RunFolder] = {}
    # What was seen under a clock that was ahead must not be the newest until then.
    for folder in sorted(folders, key=lambda each: each.path.name < _day(1)):
        newest |= {stream.path.name: folder for stream in folder.streams() if _whole(stream)}
    partial = target.with_suffix(".partial")
    shutil.rmtree(partial, ignore_errors=True)
    for name, folder in newest.items():
        copy = partial / folder.path.name
        copy.mkdir(parents=True, exist_ok=True)
        for file in ("header.json", name):
            shutil.copyfile(folder.path / file, copy / file)
    shutil.rmtree(target, ignore_errors=True)
    if newest:
        partial.rename(target)


def _whole(stream: Stream) -> bool:
    return read_contents(stream).whole
