"""Takes builds through their probes: resolve, install, probe, each outcome on disk at once."""

from __future__ import annotations

import hashlib
import json
import subprocess
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
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
from compat.builds.housekeeping import KEPT, remove_unused
from compat.builds.resolve import Resolution
from compat.errors import UsageError
from compat.probes.names import ACROSS, SAVED, concerns, selects
from compat.probes.packages import are_asked_for
from compat.probes.sources import command_source, plan_source, probe_sources, subject_source
from compat.running.host import describe_harness, describe_host, fingerprint
from compat.running.launcher import FIXED, Brought, Driven, Ending, Saved, Worker
from compat.running.settings import Settings
from compat.runs.contents import End, Key, read_contents
from compat.runs.ids import CheckId
from compat.runs.model import FULL, Build, Device, Outcome, Status, Subject, Wheel, to_json
from compat.runs.retention import prune
from compat.runs.reuse import Known, look_up
from compat.runs.store import RunFolder, alone
from compat.runs.stream import Stream
from compat.subjects.config import load_subjects
from compat.subjects.files import put_beside
from compat.subjects.packages import install_beside
from compat.subjects.spec import BUILTIN_ALONE, SubjectSpec
from compat.subjects.suite import Suite


class Progress(Protocol):
    """Hears how far each build is."""

    def phase(self, build: str, doing: str) -> None: ...

    def cells(self, build: str, done: int, planned: int) -> None: ...

    def end(self, build: str, result: str) -> None: ...


def probe_builds(
    resolutions: Sequence[Resolution], settings: Settings, runs: Path, progress: Progress
) -> RunFolder:
    """Probe every build that was found and leave a run below ``runs``: a stream for each build.

    Raises:
        UsageError: An interpreter among them has no torch, two builds go by one name, or another
            run is going on in the same folder.
    """
    for resolution in resolutions:
        if resolution.python is not None:
            lacking(resolution.python)
    ids = [resolution.id(settings.device) for resolution in resolutions]
    if twice := {name for name in ids if ids.count(name) > 1}:
        raise UsageError(f"several builds are called {', '.join(sorted(twice))}; run them apart")
    settings.home.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(settings.home / "running.lock", timeout=0):
            return _probe_builds(resolutions, settings, runs, progress)
    except Timeout:
        raise UsageError(f"another run is going on in {settings.home}: wait for its end") from None


def _probe_builds(
    resolutions: Sequence[Resolution], settings: Settings, runs: Path, progress: Progress
) -> RunFolder:
    memory = settings.home / "runs"
    prune(memory)
    earlier = RunFolder.all(*{memory, runs})
    folder = RunFolder.create(runs, describe_harness(), describe_host())
    # Of builds on one GPU none runs beside another: some probes need it to themselves.
    side_by_side = min(settings.jobs, len(resolutions)) if settings.device == "cpu" else 1
    worker = Worker(settings, max(1, settings.jobs // side_by_side))
    pipeline = _Pipeline(folder, earlier, settings, worker, progress)
    with ThreadPoolExecutor(max_workers=side_by_side) as executor, _until_interrupted(worker):
        # Reading the results raises what a pipeline raised.
        probed = [each for each in executor.map(pipeline.run, resolutions) if each is not None]
        if settings.depth == FULL and selects(settings.probes, ACROSS):
            list(executor.map(lambda each: pipeline.run_across(each, probed), probed))
    removed = remove_unused(settings.home / "environments", pipeline.used)
    if removed:
        kept = f"used longest ago; {KEPT} of a kind are kept"
        progress.phase("environments", f"removed {', '.join(removed)}: {kept}")
    return folder


@contextmanager
def _until_interrupted(worker: Worker) -> Iterator[None]:
    """Ctrl-C kills the workers as well, which the threads that run them would start again."""
    try:
        yield
    except KeyboardInterrupt:
        worker.stop()
        raise


# How often the progress of a build is told.
_TELL_S = 5.0


@dataclass(frozen=True, kw_only=True)
class _Probed:
    """A build that is probed by itself, for one subject.

    Attributes:
        saved: The folder with the artifacts that it saves for the other builds.
        subject: None, as ``driven`` is, for the builtin one.
    """

    build: Build
    environment: Environment
    stream: Stream
    key: Key
    saved: Path
    seconds: dict[str, float]
    subject: Subject | None = None
    driven: Driven | Brought | None = None

    @property
    def label(self) -> str:
        """How the progress calls it."""
        return f"{self.subject.id}@{self.build.id}" if self.subject else self.build.id


@dataclass(frozen=True, kw_only=True)
class _Beside:
    """What lies beside a build.

    Attributes:
        source: A digest of it, and of what runs it.
        requires: The versions of torch that it says it is for.
    """

    driven: Driven | Brought
    source: str
    requires: str = ""


class _Pipeline:
    """One build from its resolution to the end of its streams, one for each subject."""

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
        # The folders of the environments.
        self.used: set[Path] = set()
        self._installing = Lock()
        self._plan = plan_source()
        self._probes = probe_sources()
        self._subjects = load_subjects()

    def run(self, resolution: Resolution) -> _Probed | None:
        """Probe a build by itself, for one subject after the other.

        None if it could not be had, if the builtin subject was not asked for, or if that one did
        not come to its end.
        """
        build = described(resolution, self._settings.device)
        if resolution.problem:
            self._end(build, Status.UNAVAILABLE, resolution.problem)
            return None
        self._progress.phase(build.id, "installing")
        seconds: dict[str, float] = {}
        try:
            # One at a time: parallel installations fight for the same disk and cache.
            with self._installing, _timed(seconds, "install"):
                environment = self._environment(resolution)
        except InstallError as error:
            self._end(build, Status.BROKEN, f"could not be installed: {error}")
            return None
        if build.wheel is not None:
            build = replace(build, wheel=replace(build.wheel, sha256=environment.sha256))
        probed = None
        for spec in self._settings.subjects:
            is_builtin = spec == BUILTIN_ALONE
            select = self._settings.select(build.id, spec.id())
            if select is None or not concerns(select, spec.name):
                continue
            if is_builtin:
                probed = self._run_builtin(build, environment, seconds, select)
            else:
                self._run_subject(spec, build, environment, select)
        for suite in self._settings.suites:
            self._run_suite(suite, build, environment)
        return probed

    def _run_builtin(
        self,
        build: Build,
        environment: Environment,
        seconds: dict[str, float],
        select: Sequence[str],
    ) -> _Probed | None:
        key = self._key(environment, select)
        probed = _Probed(
            build=build,
            environment=environment,
            stream=self._begin(build),
            key=key,
            saved=environment.scratch / "artifacts" / _digest(key.environment, self._probes[SAVED]),
            seconds=seconds,
        )
        return probed if self._see(probed) else None

    def _run_subject(
        self, spec: SubjectSpec, build: Build, environment: Environment, select: Sequence[str]
    ) -> None:
        """Probe a build for a subject."""

        def prepare() -> _Beside:
            files = put_beside(
                spec, self._subjects, environment.python, self._settings.home / "subjects"
            )
            return _Beside(
                driven=Driven(
                    name=spec.name, version=files.version, file=spec.path, folders=files.folders
                ),
                source=subject_source(spec.name, files.digest),
                requires=str(files.torch or ""),
            )

        subject = Subject(id=spec.id(), requested=str(spec))
        self._run_beside(subject, prepare, build, environment, select)

    def _run_suite(self, suite: Suite, build: Build, environment: Environment) -> None:
        """Run a user's command in a build."""

        def prepare() -> _Beside:
            home = self._settings.home / "subjects"
            packages: tuple[Path, ...] = ()
            parts = [suite.source(), command_source()]
            if suite.packages:
                torch = _torch_in(environment, build)
                packages = (install_beside(environment.python, home, suite.packages, torch),)
            if suite.beside is not None:
                files = put_beside(suite.beside, self._subjects, environment.python, home)
                packages += files.folders
                parts.append(files.digest)
            return _Beside(driven=Brought(suite=suite, packages=packages), source=_digest(*parts))

        subject = Subject(id=suite.id, requested=suite.requested)
        self._run_beside(subject, prepare, build, environment, self._settings.probes)

    def _run_beside(
        self,
        subject: Subject,
        prepare: Callable[[], _Beside],
        build: Build,
        environment: Environment,
        select: Sequence[str],
    ) -> None:
        """Probe a build for a subject: what goes wrong costs this pair and nothing else."""
        seconds: dict[str, float] = {}
        stream = self._folder.stream(build.id, subject.id)
        stream.append("build", to_json(build))
        try:
            with self._installing, _timed(seconds, "install"):
                beside = prepare()
        except InstallError as error:
            stream.append("subject", to_json(subject))
            reason = f"could not be put beside the build: {error}"
            self._close(f"{subject.id}@{build.id}", stream, Status.UNAVAILABLE, reason, seconds)
            return
        subject = replace(subject, requires=beside.requires)
        stream.append("subject", to_json(subject))
        probed = _Probed(
            build=build,
            environment=environment,
            stream=stream,
            key=replace(self._key(environment, select), subject=beside.source),
            saved=environment.scratch / "artifacts" / subject.id,
            seconds=seconds,
            subject=subject,
            driven=beside.driven,
        )
        self._see(probed)

    def _see(self, probed: _Probed) -> bool:
        """Probe a build by itself to its end; whether it came to it."""
        with _timed(probed.seconds, "worker"):
            status, reason = self._probe(probed, {})
        self._finish(probed, status, reason)
        return status is Status.OK and not reason

    def run_across(self, probed: _Probed, all_probed: Sequence[_Probed]) -> None:
        """Probe what a build makes of that which all the other builds saved."""
        others = {each.build.id.name_and_python: each for each in all_probed if each is not probed}
        if others:
            environments = {name: each.key.environment for name, each in others.items()}
            key = replace(probed.key, others=environments)
            probed = replace(probed, key=key, seconds={})
            folders = {name: each.saved for name, each in others.items()}
            with _timed(probed.seconds, "across"):
                status, reason = self._probe(probed, folders)
            self._finish(probed, status, reason)

    def _environment(self, resolution: Resolution) -> Environment:
        # Bytecode and precompiled headers go by the path of what they are made of: by another path
        # to the same environments they would be made again.
        home = (self._settings.home / "environments").resolve()
        if resolution.wheel is not None:
            environment = install(resolution.wheel, home)
        elif resolution.python is not None:
            environment = adopt(resolution.python, home)
        else:
            raise InstallError("neither a wheel nor an interpreter")
        if are_asked_for(self._settings.depth, self._settings.probes):
            packages = install_packages(environment.python, home)
            environment = replace(environment, packages=packages)
            self.used.add(packages)
        self.used.add(environment.scratch)
        return environment

    def _key(self, environment: Environment, select: Sequence[str]) -> Key:
        parts = [environment.contents, fingerprint(self._settings.device), json.dumps(FIXED)]
        return Key(
            environment=_digest(*parts) if environment.contents else "",
            plan=self._plan,
            probes=self._probes,
            depth=self._settings.depth,
            select=tuple(select),
        )

    def _probe(self, probed: _Probed, others: Mapping[str, Path]) -> tuple[Status, str]:
        """See what is not known, and what ended badly a second time."""
        stream, key = probed.stream, probed.key
        stream.append("key", to_json(key))
        known = look_up(self._earlier, stream.path.name, key)
        if self._settings.fresh:
            known = Known(outcomes=known.outcomes)
        if probed.subject is None and not probed.saved.exists():
            # What was saved is gone: that it could be saved is of no use to the other builds.
            known.cells = {
                check: cell for check, cell in known.cells.items() if cell.probe != SAVED
            }
        known.write(stream)
        if known.complete:
            return Status.OK, ""

        told_at = -_TELL_S

        def alive() -> None:
            nonlocal told_at
            # It reads the whole stream.
            if monotonic() >= told_at + _TELL_S:
                self._report_cells(probed)
                told_at = monotonic()

        def work(skip: Collection[str]) -> Ending:
            saved = Saved(own=probed.saved, others=others)
            return self._worker.run(
                probed.environment, stream, saved, skip, alive, probed.driven, key.select
            )

        self._progress.phase(probed.label, "starting")
        ending = work(known.cells)
        if ending.by_machine:
            self._progress.phase(probed.label, f"{ending.reason}; trying again")
            ending = work(known.cells.keys() | read_contents(stream).cells.keys())
        planned, due = _due(stream, key, known)
        due -= self._foreseen(probed, due)
        if due and not ending.by_machine:
            self._progress.phase(probed.label, f"trying {len(due)} cells again")
            ending = work(planned - due)
        if ending.by_machine:
            # What was seen of the build holds, and what was not says nothing of it.
            return Status.OK if planned else Status.UNAVAILABLE, ending.reason
        return Status.OK if ending.whole else Status.BROKEN, ending.reason

    def _foreseen(self, probed: _Probed, due: Collection[CheckId]) -> set[CheckId]:
        """Those checks that ended as expected: a second time would say nothing new."""
        if not due:
            return set()
        build, cells = alone(probed.stream)
        return {
            cell.check
            for cell in cells
            if cell.check in due
            and cell.outcome is not Outcome.NOT_RUN
            and self._settings.foreseen(cell, build)
        }

    def _report_cells(self, probed: _Probed) -> None:
        """Tell the progress how many cells are done, once they are planned."""
        contents = read_contents(probed.stream)
        planned = contents.plans.keys()
        if planned:
            done = planned & contents.cells.keys()
            self._progress.cells(probed.label, len(done), len(planned))

    def _begin(self, build: Build) -> Stream:
        stream = self._folder.stream(build.id)
        stream.append("build", to_json(build))
        return stream

    def _finish(self, probed: _Probed, status: Status, reason: str) -> None:
        self._report_cells(probed)
        self._close(probed.label, probed.stream, status, reason, probed.seconds)

    def _end(self, build: Build, status: Status, reason: str) -> None:
        self._close(build.id, self._begin(build), status, reason, {})

    def _close(
        self,
        label: str,
        stream: Stream,
        status: Status,
        reason: str,
        seconds: Mapping[str, float],
    ) -> None:
        stream.append("end", to_json(End(status=status, reason=reason, seconds=seconds)))
        self._progress.end(label, reason or "probed")


def _due(stream: Stream, key: Key, known: Known) -> tuple[set[CheckId], set[CheckId]]:
    """The planned checks, and those of them to be tried again in a new process.

    These are the ones that never reported, that crashed, hung or lacked something on the machine,
    and those that failed and did not do so when they were seen last.
    """
    contents = read_contents(stream)
    planned = {each.check for each in contents.plans.values() if key.concerns(each)}
    again = {Outcome.CRASH, Outcome.TIMEOUT, Outcome.NOT_RUN}
    failed = {Outcome.FAIL, Outcome.ERROR}
    due = set()
    for check in planned - known.cells.keys():
        reported = contents.cells.get(check)
        outcome = reported.outcome if reported else Outcome.NOT_RUN
        if outcome in again or (outcome in failed and known.outcomes.get(check) is not outcome):
            due.add(check)
    return planned, due


def _torch_in(environment: Environment, build: Build) -> str:
    """The version of the torch that a build has, told without importing it."""
    if build.wheel is not None:
        return build.version_text
    question = "from importlib.metadata import version; print(version('torch'))"
    command = (str(environment.python), "-B", "-c", question)
    return subprocess.run(command, capture_output=True, text=True).stdout.strip()


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


@contextmanager
def _timed(seconds: dict[str, float], phase: str) -> Iterator[None]:
    began = monotonic()
    yield
    seconds[phase] = round(monotonic() - began, 1)


def described(resolution: Resolution, device: str) -> Build:
    """What is known of a build before it is installed."""
    wheel = resolution.wheel
    names = tuple(str(spec) for spec in resolution.specs)
    return Build(
        id=resolution.id(device),
        aliases=names,
        requested=names[0],
        channel=resolution.channel,
        device=Device(kind=device),
        variant=wheel.variant if wheel else "",
        wheel=Wheel(filename=wheel.filename, sha256=wheel.sha256) if wheel else None,
        note=resolution.note,
    )
