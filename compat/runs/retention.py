"""How long runs are remembered, and what of them is published.

Runs are kept for 30 days, so that also what never changes is seen again once a month. Published is,
of each build on each device, the newest stream that came to its end.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta, timezone
from pathlib import Path

from compat.runs.model import Status
from compat.runs.store import RunFolder
from compat.runs.stream import Stream

KEPT_DAYS = 30


def oldest_kept() -> datetime:
    """What was seen before this is forgotten."""
    return datetime.now(timezone.utc) - timedelta(days=KEPT_DAYS)


def prune(parent: Path) -> None:
    """Remove the runs below ``parent`` that began more than 30 days ago."""
    oldest = oldest_kept()
    for folder in RunFolder.all(parent):
        if datetime.fromisoformat(folder.source.started) < oldest:
            shutil.rmtree(folder.path)


def collect(folders: Iterable[RunFolder], target: Path) -> None:
    """Put ``folders`` beside those below ``target``."""
    for folder in folders:
        shutil.copytree(folder.path, target / folder.path.name, dirs_exist_ok=True)


def keep_newest(folders: Sequence[RunFolder], target: Path) -> None:
    """Make ``target`` hold the newest whole stream of each build in ``folders``, oldest first."""
    newest: dict[str, RunFolder] = {}
    for folder in folders:
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
    records = dict(stream.read())
    return records.get("end", {}).get("status") == Status.OK
