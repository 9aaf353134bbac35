"""Ties a process to the one that started it, so that a killed runner leaves nothing behind."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
from pathlib import Path

_PR_SET_PDEATHSIG = 1


def die_with_parent() -> None:
    """Have Linux kill this process when its parent dies; nothing elsewhere."""
    parent = os.getppid()
    with contextlib.suppress(AttributeError):
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        # It died before Linux was asked.
        os._exit(1)


def be_first_to_go() -> None:
    """Where the machine runs out of memory, Linux is to end this process and not its parent."""
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000")
