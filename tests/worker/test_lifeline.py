"""Who is killed takes along what it started, and nothing else."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from time import monotonic, sleep

import pytest

from compat.worker.lifeline import end, kept
from tests.conftest import ROOT

pytestmark = pytest.mark.slow

# Leaves a daemon with a session of its own behind, says its id and its own, and goes on.
LEAVES_A_DAEMON = """
import os, subprocess, sys, time
daemon = subprocess.Popen(["sleep", "600"], start_new_session=True)
print(os.getpid(), daemon.pid, flush=True)
time.sleep(float(sys.argv[1]))
"""
RUNS_KEPT = """
import subprocess, sys
from compat.worker.lifeline import kept
subprocess.run(kept(sys.executable, "-c", sys.argv[1], "600"))
"""
# In the place of uv there is something that takes its time.
INSTALLS = """
import sys, uv
uv.find_uv_bin = lambda: sys.argv[1]
from compat.builds.environment import _uv
_uv("600")
"""


def eventually(condition: Callable[[], bool]) -> bool:
    deadline = monotonic() + 60
    while not condition() and monotonic() < deadline:
        sleep(0.05)
    return condition()


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):  # gone before it was opened, or read
        return False


def told(process: subprocess.Popen[str]) -> list[int]:
    assert process.stdout is not None
    return [int(each) for each in process.stdout.readline().split()]


def test_a_command_ends_as_it_does() -> None:
    for script in ("import sys; sys.exit(3)", "import os; os.kill(os.getpid(), 9)"):
        plain = subprocess.run([sys.executable, "-c", script])
        assert subprocess.run(kept(sys.executable, "-c", script)).returncode == plain.returncode
    nothing = subprocess.run(kept("/no/such/command"), capture_output=True, text=True)
    assert (nothing.returncode, nothing.stderr) == (
        127,
        "/no/such/command: No such file or directory\n",
    )


def test_a_daemon_ends_with_the_command() -> None:
    command = kept(sys.executable, "-c", LEAVES_A_DAEMON, "0")
    ran = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert ran.returncode == 0
    assert not any(map(alive, map(int, ran.stdout.split())))


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_all_of_it_ends_with_the_one_who_wanted_it(how: signal.Signals) -> None:
    runner = subprocess.Popen(
        [sys.executable, "-c", RUNS_KEPT, LEAVES_A_DAEMON],
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )
    started = told(runner)
    assert all(map(alive, started))
    runner.send_signal(how)
    runner.wait()
    assert eventually(lambda: not any(map(alive, started)))


def test_what_is_stopped_can_be_ended() -> None:
    keeper = subprocess.Popen(
        kept(sys.executable, "-c", LEAVES_A_DAEMON, "600"), stdout=subprocess.PIPE, text=True
    )
    started = told(keeper)
    for pid in (*started, keeper.pid):
        os.kill(pid, signal.SIGSTOP)
    end(keeper)
    assert not any(map(alive, started))


def test_an_installation_ends_with_the_runner() -> None:
    installer = subprocess.Popen(
        [sys.executable, "-c", INSTALLS, "/bin/sleep"], env=os.environ | {"PYTHONPATH": str(ROOT)}
    )
    started: list[int] = []

    def is_there() -> bool:
        children = subprocess.run(
            ["ps", "-e", "-o", "pid=,ppid=,args="], capture_output=True, text=True
        ).stdout.splitlines()
        keepers = [line.split()[0] for line in children if line.split()[1] == str(installer.pid)]
        started[:] = [int(line.split()[0]) for line in children if line.split()[1] in keepers]
        return bool(started)

    assert eventually(is_there)
    installer.kill()
    installer.wait()
    assert eventually(lambda: not any(map(alive, started)))
