"""Starts the process that runs the probes inside a build's environment."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event

import compat
from compat.builds.environment import Environment
from compat.running.overseer import Overseer, cut
from compat.running.settings import Settings
from compat.runs.stream import Stream
from compat.subjects.suite import Suite
from compat.worker.lifeline import end, kept
from compat.worker.phases import END

_POLL_S = 0.5

# What a process that does wrong dies of; of other signals it dies because somebody sent them.
_OWN_FAULT = {
    *(signal.SIGSEGV, signal.SIGABRT, signal.SIGBUS, signal.SIGILL, signal.SIGFPE),
    *(signal.SIGTRAP, signal.SIGSYS, signal.SIGPIPE, signal.SIGALRM),
}

# What lies beside a stream, by its suffix: what a worker is to skip, what the other builds saved,
# the command that is run in the place of probes, and what the worker said.
SKIP, OTHERS, COMMAND, LOG = ".skip", ".others", ".command", ".log"
BESIDE_A_STREAM = (SKIP, OTHERS, COMMAND, LOG)

# They change what is generated: a cell that was seen under others is not the same cell.
FIXED = {
    # One compilation at a time in each probe: the probes themselves run side by side.
    "TORCHINDUCTOR_COMPILE_THREADS": "1",
    # Generated code depends on it; the same on every host.
    "OMP_NUM_THREADS": "2",
    "OMP_WAIT_POLICY": "PASSIVE",
}


@dataclass(frozen=True, kw_only=True)
class Saved:
    """Artifacts that outlive their probes.

    Attributes:
        own: The folder for what this build saves.
        others: By the id of another build: the folder with what that one saved. If there are any,
            the checks are about these alone.
    """

    own: Path
    others: Mapping[str, Path] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Driven:
    """The subject that a worker asks about.

    Attributes:
        name: Of its adapter.
        version: Of the release; empty where there is none.
        file: That of the subject ``mine``; None for the others.
        folders: What lies beside the build for it.
    """

    name: str
    version: str
    file: Path | None
    folders: tuple[Path, ...]

    def options(self, _: Path, __: Environment) -> tuple[str, ...]:
        """What a worker is told of it."""
        return (
            *("--subject", self.name, "--subject-version", self.version),
            *("--subject-file", str(self.file or "")),
        )


@dataclass(frozen=True, kw_only=True)
class Brought:
    """The command that a worker runs, and what lies beside the build for it alone.

    The worker itself imports nothing of that: a suite may bring a pytest of its own.
    """

    suite: Suite
    packages: tuple[Path, ...] = ()
    folders: tuple[Path, ...] = ()

    def options(self, stream: Path, environment: Environment) -> tuple[str, ...]:
        """What a worker is told of it; the rest is written beside its stream."""
        beside = [str(environment.beside)] if environment.beside else []
        told = {
            "collector": self.suite.collector,
            "words": self.suite.words,
            "folder": str(self.suite.folder),
            "path": [str(each) for each in self.packages],
            "beside": beside,
            "signature": self.suite.signature,
            "junit": self.suite.junit,
        }
        path = stream.with_suffix(COMMAND)
        path.write_text(json.dumps(told), encoding="utf-8")
        return ("--command", str(path))


@dataclass(frozen=True, kw_only=True)
class Ending:
    """How a worker ended.

    Attributes:
        whole: Whether it came to its own end.
        reason: If not: why, in one line.
        by_machine: Whether that was the machine's doing and not the build's: somebody killed or
            stopped the worker.
    """

    whole: bool
    reason: str = ""
    by_machine: bool = False


class StoppedError(Exception):
    """What runs the workers was told to stop."""


class Worker:
    """Runs the probes of one build after another.

    Args:
        settings: What the user chose.
        jobs: Probes side by side in each build.
    """

    def __init__(self, settings: Settings, jobs: int) -> None:
        self._settings = settings
        self._jobs = jobs
        self._stopped = Event()

    def stop(self) -> None:
        """End all workers that run, and let none begin: whoever waits for one hears of it."""
        self._stopped.set()

    def run(
        self,
        environment: Environment,
        stream: Stream,
        saved: Saved,
        skip: Collection[str],
        alive: Callable[[], None],
        driven: Driven | Brought | None = None,
        select: Sequence[str] = (),
    ) -> Ending:
        """Probe a build to the end, except the checks to ``skip``, calling ``alive`` meanwhile.

        ``select`` are parts of the ids of the probes to run; all are run without any.

        Without ``driven`` the builtin subject is asked about.

        Raises:
            StoppedError: Nobody wants to know any more.
        """
        skipped = stream.path.with_suffix(SKIP)
        skipped.write_text(json.dumps(sorted(skip)))
        others = stream.path.with_suffix(OTHERS)
        others.write_text(json.dumps({name: str(each) for name, each in saved.others.items()}))
        command = [
            *(str(environment.python), "-m", "compat.worker"),
            *("--stream", str(stream.path), "--jobs", str(self._jobs), "--skip", str(skipped)),
            *("--device", self._settings.device, "--timeout", str(self._settings.timeout_s)),
            *("--memory", str(self._settings.memory_gb), "--depth", self._settings.depth),
            *("--artifacts", str(saved.own)),
            *(("--beside", str(environment.beside)) if environment.beside else ()),
            *(("--packages", str(environment.packages)) if environment.packages else ()),
            *(("--select", *select) if select else ()),
            *(("--others", str(others)) if saved.others else ()),
            *(driven.options(stream.path, environment) if driven else ()),
        ]
        log = stream.path.with_suffix(LOG)
        with log.open("w") as output:
            keeper = subprocess.Popen(
                kept(*command),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd=environment.scratch,
                env=worker_variables(
                    environment, self._settings.home, driven.folders if driven else ()
                ),
            )
            overseer = Overseer(keeper.pid, stream, log, self._settings.timeout_s)
            try:
                return _watch(keeper, overseer, alive, self._stopped)
            finally:
                end(keeper)
                cut(log)


def _watch(
    keeper: subprocess.Popen[bytes],
    overseer: Overseer,
    alive: Callable[[], None],
    stopped: Event,
) -> Ending:
    """Wait for the end of a worker, and say how it came; a worker that hangs is not waited for."""
    while keeper.poll() is None:
        if stopped.is_set():
            raise StoppedError
        alive()
        if verdict := overseer.verdict():
            reason = f"{overseer.phase}: {verdict}"
            return Ending(whole=False, reason=reason, by_machine=overseer.stopped)
        with contextlib.suppress(subprocess.TimeoutExpired):
            keeper.wait(_POLL_S)
    overseer.look()
    status, phase = keeper.returncode, overseer.phase
    if status == 0 and phase == END:
        return Ending(whole=True)
    if status < 0 and -status not in _OWN_FAULT:
        how = f"killed from outside by {signal.Signals(-status).name}"
        return Ending(whole=False, reason=f"{phase}: {how}", by_machine=True)
    how = f"died of {signal.Signals(-status).name}" if status < 0 else f"ended with status {status}"
    said = overseer.last_words() or "it said nothing"
    return Ending(whole=False, reason=f"{phase}: the worker {how}: {said}")


# A worker keeps the bytecode that it makes: without it each one compiles all of torch's source.
_NOT_INHERITED = ("TORCH", "TRITON", "PYTEST", "COMPAT", "VIRTUAL_ENV", "PYTHONDONTWRITEBYTECODE")


def worker_variables(
    environment: Environment, home: Path, beside: Sequence[Path] = ()
) -> dict[str, str]:
    """What a worker's environment variables are; a link to this package is kept below ``home``.

    ``beside`` are folders that it imports from before it looks into its own environment.
    """
    # A folder that holds this package and nothing else, so that no dependency of the harness
    # gets onto the path of the build.
    source = home / "source"
    source.mkdir(parents=True, exist_ok=True)
    link = source / "compat"
    package = Path(compat.__file__).parent
    if not link.is_symlink() or link.resolve() != package:
        link.unlink(missing_ok=True)
        link.symlink_to(package)
    # Its own name: precompiled headers and the compiler's stand-in are known by their paths.
    temporary = (environment.scratch / "tmp").resolve()
    for leftover in temporary.glob("compat-*"):
        # Of a worker that was killed; another matrix may run in the same environment.
        if not Path("/proc", leftover.name.split("-")[1]).exists():
            shutil.rmtree(leftover, ignore_errors=True)
    temporary.mkdir(exist_ok=True)
    inherited = {
        name: value for name, value in os.environ.items() if not name.startswith(_NOT_INHERITED)
    }
    path = [str(source), *map(str, beside), *filter(None, [inherited.get("PYTHONPATH")])]
    return {
        **inherited,
        **FIXED,
        "PYTHONPATH": os.pathsep.join(path),
        # An adopted environment gets no bytecode written into it.
        "PYTHONPYCACHEPREFIX": str(environment.scratch / "bytecode"),
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        # Precompiled headers go below this, whatever the cache folder is.
        "TMPDIR": str(temporary),
        "TORCHINDUCTOR_CACHE_DIR": str(environment.scratch / "inductor"),
    }
