"""The stacks of a process that hangs, told from inside when another process asks for them.

faulthandler answers a signal in C: also while C code holds the GIL, and without one.
"""

from __future__ import annotations

import contextlib
import faulthandler
import os
import signal
from pathlib import Path

_SIGNAL = signal.SIGUSR1
# In what faulthandler prints, ahead of the frames of each thread.
_MARK = "most recent call first"


def tell_when_asked() -> None:
    """Have this process, and its forks, write the stacks of all threads to stderr when asked."""
    faulthandler.register(_SIGNAL, file=2)


def pass_on(pid: int) -> None:
    """Have another process answer when this one is asked."""
    # Not unregistered first: the signal would end this process meanwhile.
    signal.signal(_SIGNAL, lambda _number, _frame: ask(pid))


def ask(pid: int) -> None:
    """Ask a process for its stacks, also one that is stopped."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, _SIGNAL)
        os.kill(pid, signal.SIGCONT)


def answer(log: Path, asked_at: int) -> str:
    """The stacks in a log that had so many bytes when they were asked for; empty if not yet."""
    if not log.exists():
        return ""
    with log.open("rb") as file:
        file.seek(asked_at)
        text = file.read().decode(errors="replace")
    return text.strip() if _MARK in text else ""
