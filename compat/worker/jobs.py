"""Runs one job after another, each in a process of its own, forked from this one, within limits.

So what a job does to torch's globals, config, caches or environment ends with its process, and a
crash or a hang costs what it was at and nothing else.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import shutil
import signal
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from time import monotonic
from typing import Any, Protocol

from compat.runs.model import Outcome
from compat.worker.lifeline import be_first_to_go, die_with_parent
from compat.worker.machine import trouble
from compat.worker.patience import Bounds, Patience
from compat.worker.processes import Family, processes
from compat.worker.stacks import answer, ask

_FORK = multiprocessing.get_context("fork")

# How long a process may go on after it was asked for its stacks, and after it reported.
_GRACE_S = 10.0
# How often processes are looked at. One fills a few GB of memory, or of its log, a second at most.
_WATCH_S = 0.25
LOG_TAIL = 4000
_MOST_LOG_B = 64 << 20
_GB = 1 << 30


class Job(Protocol):
    """What runs in a process of its own."""

    @property
    def name(self) -> str:
        """What its process is called."""
        ...

    def run(self, scratch: Path) -> dict[str, Any]:
        """Do it, in that process: how it ended, as the fields of a cell.

        Its caches go below ``scratch``; what it prints is in ``scratch/log``.
        """
        ...

    def got_on(self) -> bool:
        """Whether, since it was asked last, it came to something that has limits of its own."""
        ...

    def ended(self, outcome: dict[str, Any]) -> Sequence[Job]:
        """Keep how it ended; what is to be run in its place."""
        ...


@dataclass(frozen=True)
class Limits:
    """What a job may take: time, and memory of it and all the processes it starts."""

    bounds: Bounds
    memory_gb: float


@dataclass
class _Child:
    job: Job
    process: BaseProcess
    connection: Connection
    scratch: Path
    started: float
    patience: Patience
    doomed: _Doomed | None = None

    @property
    def log(self) -> Path:
        return self.scratch / "log"


@dataclass
class _Doomed:
    """A process that is to end, for a reason, as soon as it has told its stacks."""

    reason: str
    since: float
    log_b: int
    stacks: str = ""


class Isolation:
    """Runs jobs.

    Args:
        scratch: An empty folder for caches and logs of the jobs.
        jobs: How many run side by side.
        limits: What each of them may take.
    """

    def __init__(self, scratch: Path, jobs: int, limits: Limits) -> None:
        self._scratch = scratch
        self._jobs = jobs
        self._limits = limits

    def run(self, jobs: Iterable[Job]) -> None:
        """Run all jobs, and what comes in their place, to their ends."""
        pending = deque(jobs)
        running: dict[int, _Child] = {}
        number = 0
        looked = monotonic()
        while pending or running:
            while pending and len(running) < self._jobs:
                child = self._start(pending.popleft(), self._scratch / f"{number:04}")
                running[child.process.sentinel] = child
                number += 1
            # Woken by a report or by the end of a process, whichever comes first.
            reports = [child.connection for child in running.values() if child.doomed is None]
            wait([*running, *reports], timeout=_WATCH_S)
            everyone = processes() if (due := monotonic() > looked + _WATCH_S) else {}
            looked = monotonic() if due else looked
            for sentinel, child in list(running.items()):
                outcome = self._ended(child)
                if outcome is None and due:
                    outcome = self._judge(child, Family.of(_pid(child.process), everyone))
                if outcome is not None:
                    elapsed = round(monotonic() - child.started, 3)
                    _kill_family(child.process)
                    del running[sentinel]
                    pending.extendleft(
                        reversed(child.job.ended({"duration_s": elapsed, **outcome}))
                    )
                    shutil.rmtree(child.scratch, ignore_errors=True)

    def _start(self, job: Job, scratch: Path) -> _Child:
        scratch.mkdir()
        (scratch / "log").touch()
        here, there = _FORK.Pipe(duplex=False)
        process = _FORK.Process(target=_run, args=(job, there, scratch), name=job.name)
        process.start()
        there.close()
        now = monotonic()
        return _Child(job, process, here, scratch, now, Patience(self._limits.bounds, now))

    def _ended(self, child: _Child) -> dict[str, Any] | None:
        """What became of a job that came to its own end."""
        if child.doomed is not None:
            return None
        if child.connection.poll():
            try:
                outcome: dict[str, Any] = child.connection.recv()
            except EOFError:
                child.process.join(_GRACE_S)
                return self._post_mortem(child)
            child.process.join(_GRACE_S)
            return outcome
        return None if child.process.is_alive() else self._post_mortem(child)

    def _judge(self, child: _Child, family: Family) -> dict[str, Any] | None:
        """What becomes of a job that is beyond its limits: by and by, since it is asked first."""
        if child.job.got_on():
            child.patience = Patience(self._limits.bounds, monotonic(), family.processor_s)
        if child.doomed is not None:
            if not _has_told(child, child.doomed):
                return None
            return {
                "outcome": Outcome.TIMEOUT,
                "reason": child.doomed.reason,
                "message": child.doomed.stacks[:LOG_TAIL],
            }
        # A job may have removed it.
        log_b = child.log.stat().st_size if child.log.exists() else 0
        if family.memory_b() > self._limits.memory_gb * _GB:
            return {
                "outcome": Outcome.CRASH,
                "reason": f"used more than {self._limits.memory_gb:g} GB of memory",
            }
        if log_b > _MOST_LOG_B:
            return {
                "outcome": Outcome.CRASH,
                "reason": f"wrote more than {_MOST_LOG_B >> 20} MB of output",
                "message": tail(child.log),
            }
        if reason := child.patience.verdict(monotonic(), family.processor_s):
            child.doomed = _Doomed(reason, monotonic(), log_b)
            ask(_pid(child.process))
        return None

    def _post_mortem(self, child: _Child) -> dict[str, Any]:
        """The outcome of a process that ended without a report."""
        if lacking := trouble(self._scratch):
            return {"outcome": Outcome.NOT_RUN, "reason": lacking}
        status = child.process.exitcode or 0
        how = (
            f"killed by {signal.Signals(-status).name}"
            if status < 0
            else f"ended with status {status} before it reported"
        )
        return {"outcome": Outcome.CRASH, "reason": how, "message": tail(child.log)}


def _has_told(child: _Child, doomed: _Doomed) -> bool:
    """Whether a job that was asked for its stacks told all of them, or never will."""
    before, doomed.stacks = doomed.stacks, answer(child.log, doomed.log_b)
    whole = doomed.stacks != "" and doomed.stacks == before
    return whole or not child.process.is_alive() or monotonic() > doomed.since + _GRACE_S


def tail(log: Path) -> str:
    """The end of what a job wrote."""
    if not log.exists():
        return ""
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - LOG_TAIL))
        return file.read(LOG_TAIL).decode(errors="replace")


def _run(job: Job, connection: Connection, scratch: Path) -> None:
    """The body of a job's process."""
    os.setpgrp()
    die_with_parent()
    be_first_to_go()
    with (scratch / "log").open("w") as log:
        os.dup2(log.fileno(), 1)
        os.dup2(log.fileno(), 2)
    keep_caches_below(scratch)
    connection.send(job.run(scratch))


def keep_caches_below(folder: Path) -> None:
    """Have torch and Triton write what they compile below ``folder``."""
    os.environ["TORCHINDUCTOR_CACHE_DIR"] = str(folder / "inductor")
    os.environ["TRITON_CACHE_DIR"] = str(folder / "triton")


def _pid(process: BaseProcess) -> int:
    assert process.pid is not None
    return process.pid


def _kill_family(process: BaseProcess) -> None:
    """End a job's process and what it left running."""
    Family.of(_pid(process), processes()).kill()
    with contextlib.suppress(ProcessLookupError):
        # What was started meanwhile.
        os.killpg(_pid(process), signal.SIGKILL)
    process.kill()
    process.join()
