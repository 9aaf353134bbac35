"""Who is killed in a run, how and when: chosen by a seed."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import monotonic, sleep

from tests.soak.place import MARKER

KILL, TERM, INT, STOP = signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGSTOP
SIGNALS = (KILL, TERM, INT, STOP)
NOX, GROUP, KEEPER, RUNNER, WORKER_KEEPER, WORKER, PROBE = TARGETS = (
    *("nox", "the group", "the keeper of the runner", "the runner"),
    *("the keeper of the worker", "the worker", "a probe"),
)
_LONGEST_STOP_S = 3.0


@dataclass(frozen=True)
class Process:
    """One that a place started, whatever became of its parents."""

    pid: int
    parent: int
    words: Sequence[str]

    @property
    def is_keeper(self) -> bool:
        return any(word.endswith("lifeline.py") for word in self.words)

    def runs(self, module: str) -> bool:
        return not self.is_keeper and list(self.words[1:3]) == ["-m", module]


@dataclass(frozen=True)
class Kill:
    """One signal.

    Attributes:
        after_s: How long after its target is there.
        stopped_s: How long what is stopped stays so.
    """

    target: str
    number: signal.Signals
    after_s: float
    stopped_s: float

    def __str__(self) -> str:
        stopped = f", for {self.stopped_s:.1f} s" if self.number is STOP else ""
        return f"{self.number.name} of {self.target} after {self.after_s:.2f} s{stopped}"

    @property
    def is_outside(self) -> bool:
        """Whether it is one of what runs the worker, and not of the worker or what that runs."""
        return self.target in {NOX, GROUP, KEEPER, RUNNER}

    def deliver(self, nox: subprocess.Popen[bytes], place: Path) -> bool:
        """Wait for the target and send it; whether it was still there."""
        waited = False
        while nox.poll() is None:
            pids = _found(self.target, nox.pid, started_in(place))
            if pids and not waited:
                sleep(self.after_s)
                waited = True
            # One probe may have ended meanwhile, and the next one is as good.
            elif pids and self._send(pids[0]):
                return True
        return False

    def _send(self, pid: int) -> bool:
        send = os.killpg if self.target == GROUP else os.kill
        try:
            send(pid, self.number)
            if self.number is STOP:
                sleep(self.stopped_s)
                send(pid, signal.SIGCONT)
        except ProcessLookupError:
            return False
        return True


def choose(chance: random.Random, run_s: float) -> Kill | None:
    """What happens to the next run; one of ten is left alone. ``run_s``: how long one takes."""
    if chance.random() < 0.1:
        return None
    target = chance.choice(TARGETS)
    longest = {PROBE: 0.0, WORKER: run_s / 3, WORKER_KEEPER: run_s / 3}.get(target, run_s)
    return Kill(
        target,
        chance.choice(SIGNALS),
        chance.uniform(0, longest),
        chance.uniform(0, _LONGEST_STOP_S),
    )


def started_in(place: Path) -> Mapping[int, Process]:
    """All processes that have to do with a place, by their ids."""
    mark = f"{MARKER}={place}\0".encode()
    return {each.pid: each for each in _processes(mark)}


def _processes(mark: bytes) -> Iterator[Process]:
    for folder in Path("/proc").glob("[0-9]*"):
        # It may end while it is looked at.
        with contextlib.suppress(OSError):
            if mark in (folder / "environ").read_bytes():
                words = (folder / "cmdline").read_text().split("\0")[:-1]
                parent = (folder / "stat").read_text().rpartition(")")[2].split()[1]
                yield Process(int(folder.name), int(parent), words)


def _found(target: str, nox: int, everyone: Mapping[int, Process]) -> list[int]:
    """The processes that a target is."""
    is_worker: Callable[[Process], bool] = lambda each: each.runs("compat.worker")  # noqa: E731

    def parent_is(each: Process, asked: Callable[[Process], bool]) -> bool:
        return each.parent in everyone and asked(everyone[each.parent])

    def is_it(each: Process) -> bool:
        match target:
            case "the keeper of the runner":
                return each.is_keeper and each.parent == nox
            case "the runner":
                return each.runs("compat")
            case "the keeper of the worker":
                return each.is_keeper and "compat.worker" in each.words
            case "the worker":
                return is_worker(each) and not parent_is(each, is_worker)
            case "a probe":
                return is_worker(each) and parent_is(each, is_worker)
            case _:
                return each.pid == nox

    return [pid for pid, each in everyone.items() if is_it(each)]


def wait_until_gone(place: Path, seconds: float) -> Mapping[int, Process]:
    """What is left of all that was started, after so many seconds at most."""
    deadline = monotonic() + seconds
    while (left := started_in(place)) and monotonic() < deadline:
        sleep(0.05)
    return left
