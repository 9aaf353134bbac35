"""How people name a run: by file, folder, day, or as the latest; or a build of the latest."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from compat.errors import UsageError
from compat.runs.decode import DamagedError
from compat.runs.ids import DEVICES
from compat.runs.model import Build, Run
from compat.runs.store import RunFolder, load, merge

LATEST = "latest"
EXPECTED = (
    "expected a run.json, the folder of a run, a day such as 2026-11-22, latest, or a build of the "
    "latest run (2.13, 2.13.0, 2.13-cuda)"
)

_DAY = re.compile(r"\d{4}-\d\d-\d\d\b")


@dataclass(frozen=True, kw_only=True)
class NamedRun:
    """A run, and the one build of it that was named, if it was one."""

    run: Run
    build: Build | None = None


def refer(text: str, latest: Path, folders: Path) -> NamedRun:
    """What ``text`` names.

    Args:
        text: As :data:`EXPECTED` says.
        latest: The run of the report.
        folders: Below which the folders of runs are.

    Raises:
        UsageError: There is no such run, and no such build in the latest one.
    """
    if text == LATEST:
        return NamedRun(run=load_latest(latest))
    path = Path(text)
    if path.is_file():
        return NamedRun(run=_load(path))
    if (path / "header.json").exists():
        return NamedRun(run=merge([RunFolder(path)]))
    if _DAY.match(text):
        # Their names sort by time: of one day the newest run is meant.
        of_the_day = [each for each in RunFolder.all(folders) if each.path.name.startswith(text)]
        if of_the_day:
            return NamedRun(run=merge(of_the_day[-1:]))
        raise UsageError(f"{text}: no run of that day below {folders}")
    return _build(text, load_latest(latest))


def load_latest(path: Path) -> Run:
    """The run of the report.

    Raises:
        UsageError: There is none, or it is of another version of this project.
    """
    if not path.exists():
        raise UsageError(f"{path}: no such file: run nox -s matrix first")
    return _load(path)


def _load(path: Path) -> Run:
    try:
        return load(path)
    except DamagedError as error:
        raise UsageError(f"expected a run.json of this version: {error}") from None


def _build(text: str, run: Run) -> NamedRun:
    found = builds_named(text, run)
    if not found:
        there = ", ".join(build.label for build in run.builds)
        raise UsageError(f"{text!r}: {EXPECTED}, which has {there}")
    if len(found) > 1:
        labels = ", ".join(build.label for build in found)
        raise UsageError(f"{text!r} is several builds of the latest run: {labels}")
    return NamedRun(run=run, build=found[0])


def builds_named(text: str, run: Run) -> list[Build]:
    """The builds that people mean by ``text``: an id, a label, a spec, a version or a series.

    ``2.13`` may be several, of one device each; ``2.13-cuda`` names the device.
    """
    ways = (
        [build for build in run.builds if text == build.label],
        [build for build in run.builds if text in {build.id, build.id.name}],
        [build for build in run.builds if text in build.aliases and not build.id.python],
        [build for build in run.builds if text in build.aliases],
        [build for build in run.builds if is_version_of(build, text)],
    )
    return next(filter(None, ways), [])


def is_version_of(build: Build, text: str) -> bool:
    """Whether ``text`` is the version or series of a build, with its device if it names one."""
    name, dash, device = text.rpartition("-")
    if not dash or device not in DEVICES:
        name, device = text, build.id.device
    release = build.release
    if device != build.id.device or release is None:
        return False
    series = "" if release.is_prerelease else f"{release.major}.{release.minor}"
    return name in {str(release), series} - {""}
