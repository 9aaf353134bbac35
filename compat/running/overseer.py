"""Judges from outside whether a worker gets on: by its stream, its output and its processes."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from time import monotonic, sleep

from compat.runs.contents import Begin, read_line
from compat.runs.decode import DamagedError
from compat.runs.stream import Stream
from compat.worker.patience import Bounds, Patience
from compat.worker.phases import PROBE, START, WARM_UP
from compat.worker.processes import Family, Process, processes
from compat.worker.stacks import answer, ask

# How long a worker takes to end a probe, or to tell its stacks.
_GRACE_S = 10.0
_LOOK_S = 0.1
# More than any worker says; of what said more, the end is kept.
_MOST_LOG_B = 64 << 20
_TAIL_B = 64 << 10
# How a line that says so starts; others, of which there is one for each cell, are not decoded.
_BEGIN = b'{"kind": "begin"'


class Overseer:
    """Of one worker.

    Args:
        keeper: The process that started the worker, see :func:`compat.worker.lifeline.kept`.
        stream: What the worker appends to.
        log: What else it says.
        timeout_s: What a phase may take, see :class:`compat.worker.patience.Bounds`.

    Attributes:
        phase: What the worker does, or did last.
        stopped: Whether a signal had stopped it at the last verdict.
    """

    def __init__(self, keeper: int, stream: Stream, log: Path, timeout_s: float) -> None:
        self.phase = START
        self.stopped = False
        self._keeper = keeper
        self._stream = stream
        self._log = log
        self._timeout_s = timeout_s
        # An earlier worker may have written into the same stream.
        self._read_b = stream.path.stat().st_size if stream.path.exists() else 0
        self._size_b = -1
        self._patience = Patience(_bounds(START, timeout_s), monotonic())

    def look(self) -> None:
        """Read what the worker has written since."""
        for line in self._stream.lines(self._read_b):
            self._read_b += len(line)
            if line.startswith(_BEGIN):
                with suppress(DamagedError):
                    _, said = read_line(line)
                    if isinstance(said, Begin):
                        self.phase = said.name

    def verdict(self) -> str:
        """Why the worker is to be ended, in one line; empty while it gets on."""
        if self._log.stat().st_size > _MOST_LOG_B:
            self.look()
            return f"wrote more than {_MOST_LOG_B >> 20} MB of output"
        everyone = processes()
        used_s = Family.of(self._keeper, everyone).processor_s
        size_b = self._stream.path.stat().st_size
        if size_b != self._size_b:
            self._size_b = size_b
            self.look()
            self._patience = Patience(_bounds(self.phase, self._timeout_s), monotonic(), used_s)
        verdict = self._patience.verdict(monotonic(), used_s)
        if verdict:
            children = (each for each in everyone.values() if each.parent == self._keeper)
            # The oldest one: what Linux handed over to the keeper came later.
            worker = min(children, key=lambda each: each.began, default=None)
            self.stopped = worker is not None and _is_stopped(worker, everyone)
            if self.stopped:
                return f"stopped from outside by a signal; {verdict}"
            if worker is not None:
                verdict += self._where(worker)
        return verdict

    def last_words(self) -> str:
        """The last line that the worker said."""
        lines = _tail(self._log).decode(errors="replace").strip().splitlines()
        return lines[-1] if lines else ""

    def _where(self, worker: Process) -> str:
        """The innermost frame of a worker, if it tells."""
        asked_at, deadline = self._log.stat().st_size, monotonic() + _GRACE_S
        ask(worker.pid)
        while (
            not (stacks := answer(self._log, asked_at))
            and worker.pid in processes()
            and monotonic() < deadline
        ):
            sleep(_LOOK_S)
        _, _, main = stacks.rpartition("Current thread")
        frames = [line.strip() for line in main.splitlines() if line.startswith("  File ")]
        return f", in {frames[0]}" if frames else ""


def _is_stopped(worker: Process, everyone: Mapping[int, Process]) -> bool:
    """Whether a signal stopped a worker, or the fork in which it goes on (worker/handover.py)."""
    forks = (each for each in everyone.values() if each.parent == worker.pid)
    return worker.stopped or any(each.stopped for each in forks)


def _bounds(phase: str, timeout_s: float) -> Bounds:
    """What a phase may take; where the worker itself ends what hangs, it gets the time for that."""
    own = Bounds.of(timeout_s)
    if phase not in {WARM_UP, PROBE}:
        return own
    return Bounds(
        # Of any number of probes side by side.
        processor_s=float("inf"),
        idle_s=own.idle_s + 2 * _GRACE_S,
        wall_s=2 * own.wall_s + 2 * _GRACE_S,
    )


def cut(log: Path) -> None:
    """Of a flood keep the end."""
    if log.stat().st_size > _MOST_LOG_B:
        log.write_bytes(_tail(log))


def _tail(log: Path) -> bytes:
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - _TAIL_B))
        return file.read(_TAIL_B)
