"""What tries something in a fork goes on in the fork, or where it was, and ends as it should."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from compat.worker.stacks import answer, ask
from tests.worker.test_lifeline import alive, eventually, told

pytestmark = pytest.mark.slow

# Tries what the second argument says, then says its id and its parent's, and does the third.
WORKER = """
import os, signal, sys, time
from compat.worker.handover import go_on_in_a_fork
from compat.worker.patience import Bounds
from compat.worker.stacks import tell_when_asked
tell_when_asked()
worker = os.getpid()
tried = []
def trial():
    exec(sys.argv[1])
    tried.append(True)
print("once")
go_on_in_a_fork(trial, Bounds(processor_s=1, idle_s=1, wall_s=60))
print(os.getpid() == worker, len(tried), flush=True)
exec(sys.argv[2])
"""


def worker(trial: str, then: str = "pass") -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", WORKER, trial, then],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize(
    ("then", "status"),
    [
        ("pass", 0),
        ("sys.exit(3)", 3),
        ("os.kill(os.getpid(), signal.SIGKILL)", -signal.SIGKILL),
        ("signal.raise_signal(signal.SIGABRT)", -signal.SIGABRT),
    ],
)
def test_what_comes_through_goes_on_in_the_fork(then: str, status: int) -> None:
    process = worker("pass", then)
    said, _ = process.communicate(timeout=60)
    assert said == "once\nFalse 1\n"
    assert process.returncode == status


@pytest.mark.parametrize(
    "trial",
    [
        "raise RuntimeError",
        "sys.exit(0)",
        "os._exit(0)",
        "os.kill(os.getpid(), signal.SIGSEGV)",
        "os.kill(os.getpid(), signal.SIGSTOP)",
        "time.sleep(600)",
        "while True: pass",
    ],
)
def test_what_does_not_goes_on_where_it_was(trial: str) -> None:
    process = worker(trial, "print(os.popen('ps -o stat= --ppid %d' % worker).read())")
    said, _ = process.communicate(timeout=60)
    once, _, left = said.partition("True 0\n")
    assert once == "once\n"
    # Of that process there is nothing but ps itself.
    assert len(left.split()) == 1
    assert process.returncode == 0


def test_an_exception_of_the_trial_is_told() -> None:
    _, said = worker("raise RuntimeError('out of paper')").communicate(timeout=60)
    assert "RuntimeError: out of paper" in said


def test_a_worker_that_is_killed_takes_its_fork_along() -> None:
    process = worker("pass", "print(worker, os.getpid(), flush=True); time.sleep(600)")
    assert process.stdout is not None
    assert process.stdout.readline() + process.stdout.readline() == "once\nFalse 1\n"
    _, fork = told(process)
    assert alive(fork)
    process.kill()
    process.wait()
    assert eventually(lambda: not alive(fork))


def test_a_worker_that_is_asked_for_its_stacks_tells_its_forks(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with log.open("w") as output:
        process = subprocess.Popen(
            [sys.executable, "-c", WORKER, "pass", "time.sleep(600)"],
            stdout=subprocess.PIPE,
            stderr=output,
            text=True,
        )
    assert process.stdout is not None
    assert process.stdout.readline() + process.stdout.readline() == "once\nFalse 1\n"

    def asked() -> bool:
        # The worker need not be there yet where it waits for its fork.
        ask(process.pid)
        return "line 1 in <module>" in answer(log, 0)

    assert eventually(asked)
    process.kill()
    process.wait()
