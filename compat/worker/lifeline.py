"""Ties processes to the one that started them, so that a killed runner leaves nothing behind.

``python lifeline.py PARENT COMMAND…`` runs a command for the process PARENT and ends as it does.
When either of the two ends, so does all that the command started, also in sessions of its own.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from time import monotonic, sleep
from types import FrameType
from typing import Any, NoReturn

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
_LEFT_S = 10.0
_NOT_FOUND = 127


def die_with_parent() -> None:
    """Have Linux kill this process when its parent dies; nothing elsewhere."""
    _die_with(os.getppid(), signal.SIGKILL)


def be_first_to_go() -> None:
    """Where the machine runs out of memory, Linux is to end this process and not its parent."""
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000")


def kept(*command: str) -> list[str]:
    """The command line that runs ``command`` so that nothing of it outlives this process.

    It answers SIGTERM by ending all that the command started.
    """
    return [sys.executable, "-I", __file__, str(os.getpid()), *command]


def end(keeper: subprocess.Popen[Any]) -> None:
    """End what :func:`kept` runs, with all that it started."""
    if keeper.poll() is None:
        keeper.terminate()
        # Also one that is stopped.
        keeper.send_signal(signal.SIGCONT)
        with contextlib.suppress(subprocess.TimeoutExpired):
            keeper.wait(_LEFT_S + 1)
    keeper.kill()
    keeper.wait()


def end_as(status: int) -> NoReturn:
    """End this process at once with an exit status; a negative one stands for a signal.

    It leaves no memory image of itself.
    """
    if status < 0:
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        with contextlib.suppress(OSError):
            # SIGKILL has no other way than its own.
            signal.signal(-status, signal.SIG_DFL)
        os.kill(os.getpid(), -status)
    os._exit(status)


def _die_with(parent: int, how: signal.Signals) -> None:
    _prctl(_PR_SET_PDEATHSIG, how)
    if os.getppid() != parent:
        # It died before Linux was asked.
        os._exit(1)


def _prctl(option: int, value: int) -> None:
    with contextlib.suppress(AttributeError):
        ctypes.CDLL(None).prctl(option, value)


def _keep(parent: int, command: Sequence[str]) -> int:
    """Run a command to its end and end what it left; its status, negative for a signal."""
    # Linux hands over to this process what has lost its own parent.
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)
    signal.signal(signal.SIGTERM, _end)
    if signal.getsignal(signal.SIGHUP) is signal.SIG_DFL:
        signal.signal(signal.SIGHUP, _end)
    # Ctrl-C reaches the command as well, which knows best how to end.
    signal.signal(signal.SIGINT, lambda _number, _frame: None)
    _die_with(parent, signal.SIGTERM)
    me = os.getpid()
    child = os.fork()
    if not child:
        _die_with(me, signal.SIGKILL)
        try:
            os.execvp(command[0], [*command])  # noqa: S606  (no shell is wanted)
        except OSError as error:
            print(f"{command[0]}: {error.strerror}", file=sys.stderr)
            os._exit(_NOT_FOUND)
    try:
        ended = status = 0
        while ended != child:
            ended, status = os.wait()
    finally:
        _end_children()
    return os.waitstatus_to_exitcode(status)


class _Asked(Exception):  # noqa: N818  (no error)
    """Somebody wants the end; the signal that says so is in it."""


def _end(number: int, _frame: FrameType | None) -> None:
    # Once is enough: what is under way is the end.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    raise _Asked(number)


def _end_children() -> None:
    """Kill the children of this process, and theirs, which are its own as soon as they are left."""
    deadline = monotonic() + _LEFT_S
    with contextlib.suppress(ChildProcessError):
        while monotonic() < deadline:
            for child in _children():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(child, signal.SIGKILL)
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
            sleep(0.01)
        print(f"left behind: processes {', '.join(map(str, _children()))}", file=sys.stderr)


def _children() -> Iterator[int]:
    me = str(os.getpid())
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if (process / "stat").read_text().rpartition(")")[2].split()[1] == me:
                yield int(process.name)


def main() -> None:
    try:
        status = _keep(int(sys.argv[1]), sys.argv[2:])
    except _Asked as asked:
        status = -asked.args[0]
    end_as(status)


if __name__ == "__main__":
    main()
