"""What processes use, and whose children they are, as Linux tells it; nothing elsewhere."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

_PROC = Path("/proc")
_KB = 1024
_STOPPED = b"T"


@dataclass(frozen=True)
class Process:
    """One line of ``/proc/*/stat``.

    Attributes:
        began: Clock ticks after the machine booted.
        processor_s: Seconds of processor time that it used, with all its children that ended.
        stopped: Whether a signal stopped it.
    """

    pid: int
    parent: int
    group: int
    began: int
    processor_s: float
    stopped: bool


def processes() -> dict[int, Process]:
    """All processes there are, by their ids; see proc(5) for the fields."""
    ticks = os.sysconf("SC_CLK_TCK")
    found = {}
    for folder in _PROC.iterdir() if _PROC.exists() else ():
        if not folder.name.isdigit():
            continue
        try:
            stat = (folder / "stat").read_bytes()
        except OSError:
            # It ended meanwhile.
            continue
        # The name, in parentheses, may have blanks in it.
        fields = stat.rpartition(b")")[2].split()
        pid = int(folder.name)
        found[pid] = Process(
            pid=pid,
            parent=int(fields[1]),
            group=int(fields[2]),
            began=int(fields[19]),
            processor_s=sum(map(int, fields[11:15])) / ticks,
            stopped=fields[0] == _STOPPED,
        )
    return found


@dataclass(frozen=True)
class Family:
    """A process, all that descend from it, and all that are in its process group."""

    members: tuple[Process, ...]

    @classmethod
    def of(cls, pid: int, everyone: Mapping[int, Process]) -> Family:
        return cls(
            tuple(
                each
                for each in everyone.values()
                if each.group == pid or pid in _ancestry(each, everyone)
            )
        )

    @property
    def processor_s(self) -> float:
        """Seconds of processor time that all of them used.

        What an orphan used, and nobody waited for, is no longer in it.
        """
        return sum(each.processor_s for each in self.members)

    def kill(self) -> None:
        """End all of them, in whatever group or session they are."""
        for each in self.members:
            with contextlib.suppress(ProcessLookupError):
                os.kill(each.pid, signal.SIGKILL)

    def memory_b(self) -> int:
        """Bytes of anonymous and shared memory; pages that forks share count for each of them."""
        return sum(map(_memory_b, self.members))


def _ancestry(process: Process, everyone: Mapping[int, Process]) -> Iterator[int]:
    """Its id, its parent's and so on."""
    seen: set[int] = set()
    pid = process.pid
    # What was read while processes came and went may lead in a circle.
    while pid in everyone and pid not in seen:
        seen.add(pid)
        yield pid
        pid = everyone[pid].parent


def _memory_b(process: Process) -> int:
    try:
        status = (_PROC / str(process.pid) / "status").read_text()
    except OSError:
        return 0
    return sum(
        int(line.split()[1]) * _KB
        for line in status.splitlines()
        if line.startswith(("RssAnon:", "RssShmem:"))
    )
