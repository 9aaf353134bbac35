"""Takes builds through their probes: resolve, install, probe, each outcome on disk at once."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from threading import Lock
from time import monotonic
from typing import Protocol

from filelock import FileLock, Timeout

from compat.builds.environment import (
    Environment,
    InstallError,
    adopt,
    install,
    install_packages,
    lacking,
)
from compat.builds.resolve import Resolution
from compat.errors import UsageError
from compat.host import describe_harness, describe_host, fingerprint
from compat.probes.packages import are_asked_for
from compat.probes.sources import plan_source, probe_sources
from compat.runs.known import Key, Known, look_up
from compat.runs.model import Build, Device, Outcome, Status, Wheel, check_id, to_json
from compat.runs.store import RunFolder, read_outcomes
from compat.runs.stream import Stream
from compat.settings import Settings
from compat.worker import FIXED, Worker


class Progress(Protocol):
    """Hears how far each build is."""

    def phase(self, build: str, doing: str) -> None: ...

    def cells(self, build: str, done: int, planned: int) -> None: ...

    def end(self, build: str, result: str) -> None: ...


def probe_builds(
    resolutions: Sequence[Resolution], settings: Settings, progress: Progress
) -> RunFolder:
    """Probe every build that was found and leave a stream for each, found or not.

    Raises:
        UsageError: An interpreter among them has no torch, two builds go by one name, or another
            run is going on in the same folder.
    """
    for resolution in resolutions:
        if resolution.python is not None:
            lacking(resolution.python)
    ids = [resolution.id for resolution in resolutions]
    if twice := {name for name in ids if ids.count(name) > 1}:
        raise UsageError(f"several builds are called {', '.join(sorted(twice))}; run them apart")
    settings.home.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(settings.home / "running.lock", timeout=0):
            return _probe_builds(resolutions, settings, progress)
    except Timeout:
        raise UsageError(f"another run is going on in {settings.home}: wait for its end") from None


def _probe_builds(
    resolutions: Sequence[Resolution], settings: Settings, progress: Progress
) -> RunFolder:
    earlier = RunFolder.all(settings.home / "runs")
    folder = RunFolder.create(settings.home / "runs", describe_harness(), describe_host())
    side_by_side = min(settings.jobs, len(resolutions))
    worker = Worker(settings, max(1, settings.jobs // side_by_side))
    pipeline = _Pipeline(folder, earlier, settings, worker, progress)
    with ThreadPoolExecutor(max_workers=side_by_side) as executor:
        # Reading the results raises what a pipeline raised.
        list(executor.map(pipeline.run, resolutions))
    return folder


class _Pipeline:
    """One build from its resolution to the end of its stream."""

    def __init__(
        self,
        folder: RunFolder,
        earlier: Sequence[RunFolder],
        settings: Settings,
        worker: Worker,
        progress: Progress,
    ) -> None:
        self._folder = folder
        self._earlier = earlier
        self._settings = settings
        self._worker = worker
        self._progress = progress
        self._installing = Lock()
        self._plan = plan_source()
        self._probes = probe_sources()

    def run(self, resolution: Resolution) -> None:
        build = _described(resolution, self._settings.device)
        if resolution.problem:
            self._end(build, Status.UNAVAILABLE, resolution.problem)
            return
        self._progress.phase(build.id, "installing")
        seconds: dict[str, float] = {}
        try:
            # One at a time: parallel installations fight for the same disk and cache.
            with self._installing, _timed(seconds, "install"):
                environment = self._environment(resolution)
        except InstallError as error:
            self._end(build, Status.BROKEN, f"could not be installed: {error}")
            return
        if build.wheel is not None:
            build = replace(build, wheel=replace(build.wheel, sha256=environment.sha256))
        stream = self._begin(build)
        key = self._key(environment)
        stream.append("key", to_json(key))
        known = look_up(self._earlier, stream.path.name, key)
        if self._settings.fresh:
            known = Known(outcomes=known.outcomes)
        stream.append("source", *known.sources.values())
        stream.append("cell", *known.cells.values())
        with _timed(seconds, "worker"):
            status, reason = self._probe(build, environment, stream, known)
        self._finish(build, stream, status, reason, seconds)

    def _environment(self, resolution: Resolution) -> Environment:
        home = self._settings.home / "environments"
        if resolution.wheel is not None:
            return install(resolution.wheel, home)
        if resolution.python is not None:
            return adopt(resolution.python, home)
        raise InstallError("neither a wheel nor an interpreter")

    def _key(self, environment: Environment) -> Key:
        parts = [environment.contents, fingerprint(self._settings.device), json.dumps(FIXED)]
        digest = hashlib.sha256("\0".join(parts).encode()).hexdigest()
        return Key(
            environment=digest if environment.contents else "",
            plan=self._plan,
            probes=self._probes,
            depth=self._settings.depth,
            select=tuple(self._settings.probes),
        )

    def _probe(
        self, build: Build, environment: Environment, stream: Stream, known: Known
    ) -> tuple[Status, str]:
        """See what is not known, and what ended badly a second time."""
        if known.complete:
            stream.append("environment", known.environment)
            stream.append("plan", *known.plan)
            return Status.OK, ""

        def alive() -> None:
            self._report_cells(build, stream)

        if are_asked_for(self._settings.depth, self._settings.probes):
            home = self._settings.home / "environments"
            packages = install_packages(environment.python, home)
            environment = replace(environment, packages=packages)
        self._progress.phase(build.id, "starting")
        result = self._worker.run(environment, stream, known.cells, alive)
        planned, due = _due(stream, known)
        if due:
            self._progress.phase(build.id, f"trying {len(due)} cells again")
            result = self._worker.run(environment, stream, planned - due, alive)
        return result

    def _report_cells(self, build: Build, stream: Stream) -> None:
        """Tell the progress how many cells are done, once they are planned."""
        planned = _planned(stream)
        if planned:
            self._progress.cells(
                build.id, len(planned & read_outcomes(stream).keys()), len(planned)
            )

    def _begin(self, build: Build) -> Stream:
        stream = self._folder.stream(build)
        stream.append("build", to_json(build))
        return stream

    def _finish(
        self,
        build: Build,
        stream: Stream,
        status: Status,
        reason: str,
        seconds: Mapping[str, float],
    ) -> None:
        stream.append("end", {"status": status, "reason": reason, "seconds": seconds})
        self._report_cells(build, stream)
        self._progress.end(build.id, reason or "probed")

    def _end(self, build: Build, status: Status, reason: str) -> None:
        self._finish(build, self._begin(build), status, reason, {})


def _planned(stream: Stream) -> set[str]:
    return {
        check_id(data["probe"], data["params"]) for kind, data in stream.read() if kind == "plan"
    }


def _due(stream: Stream, known: Known) -> tuple[set[str], set[str]]:
    """The planned checks, and those of them to be tried again in a new process.

    These are the ones that never reported, that crashed, hung or lacked something on the machine,
    and those that failed and did not do so when they were seen last.
    """
    outcomes = read_outcomes(stream)
    planned = _planned(stream)
    again = {Outcome.CRASH, Outcome.TIMEOUT, Outcome.NOT_RUN}
    failed = {Outcome.FAIL, Outcome.ERROR}
    due = set()
    for check in planned - known.cells.keys():
        outcome = Outcome(outcomes[check]["outcome"]) if check in outcomes else Outcome.NOT_RUN
        if outcome in again or (outcome in failed and known.outcomes.get(check) is not outcome):
            due.add(check)
    return planned, due


@contextmanager
def _timed(seconds: dict[str, float], phase: str) -> Iterator[None]:
    began = monotonic()
    yield
    seconds[phase] = round(monotonic() - began, 1)


def _described(resolution: Resolution, device: str) -> Build:
    wheel = resolution.wheel
    names = tuple(str(spec) for spec in resolution.specs)
    return Build(
        id=resolution.id,
        aliases=names,
        requested=names[0],
        channel=resolution.channel,
        device=Device(kind=device),
        variant=wheel.variant if wheel else "",
        wheel=Wheel(filename=wheel.filename, sha256=wheel.sha256) if wheel else None,
        note=resolution.note,
    )
