"""Does in a fork what may end a process. A fork that comes through goes on as the worker.

So a worker survives what it tries, and has what that leaves in memory without doing it twice.
"""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Callable
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from time import monotonic

from compat.worker.lifeline import die_with_parent, end_as
from compat.worker.patience import Bounds, Patience
from compat.worker.processes import Family, processes
from compat.worker.stacks import pass_on

_LOOK_S = 0.25


def go_on_in_a_fork(trial: Callable[[], None], bounds: Bounds) -> None:
    """Call ``trial`` in a fork and return there; this process then ends as the fork does.

    Where ``trial`` raises, ends its process or goes beyond ``bounds``, return in this process, as
    if nothing had been tried.
    """
    here, there = Pipe(duplex=False)
    sys.stdout.flush()
    sys.stderr.flush()
    fork = os.fork()
    if not fork:
        here.close()
        _try(trial, there)
        return
    there.close()
    if _came_through(fork, here, bounds):
        pass_on(fork)
        end_as(_status(fork))
    Family.of(fork, processes()).kill()
    _status(fork)
    here.close()


def _try(trial: Callable[[], None], there: Connection) -> None:
    os.setpgrp()
    die_with_parent()
    try:
        trial()
    except BaseException:  # noqa: BLE001  (this process is there for it)
        traceback.print_exc()
        sys.stderr.flush()
        os._exit(1)
    there.send(True)
    there.close()


def _came_through(fork: int, here: Connection, bounds: Bounds) -> bool:
    patience = Patience(bounds, monotonic())
    while not here.poll(_LOOK_S):
        if patience.verdict(monotonic(), Family.of(fork, processes()).processor_s):
            return False
    try:
        return bool(here.recv())
    except EOFError:
        return False


def _status(fork: int) -> int:
    """Wait for the end of a fork; its exit status, negative for a signal."""
    return os.waitstatus_to_exitcode(os.waitpid(fork, 0)[1])
