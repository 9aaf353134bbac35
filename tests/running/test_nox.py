"""Who kills nox ends the matrix."""

from __future__ import annotations

import signal
import subprocess
from pathlib import Path
from time import monotonic, sleep

import pytest
from filelock import FileLock
from uv import find_uv_bin

from tests.checkout import copy_checkout
from tests.fake_build import FAULTS, fake_python, put_fault
from tests.running.test_reuse import workers

pytestmark = pytest.mark.slow


def test_a_killed_nox_leaves_nothing_behind_and_frees_the_lock(tmp_path: Path) -> None:
    checkout = copy_checkout(tmp_path / "checkout")
    python = fake_python(tmp_path / "fake")
    put_fault(python, "import", FAULTS["hang"])
    uv = find_uv_bin()
    subprocess.run([uv, "venv", "--quiet", tmp_path / "nox"], check=True)
    nox = tmp_path / "nox" / "bin" / "nox"
    install = [uv, "pip", "install", "--quiet", "--python", nox.with_name("python"), "nox[uv]"]
    subprocess.run(install, check=True)
    selection = ("--builds", f"python:{python}", "--device", "cpu", "--probes", "surface.name")
    with (tmp_path / "log").open("w") as log:
        killed = subprocess.Popen(
            [nox, "-f", checkout / "noxfile.py", "-s", "matrix", "--", *selection],
            stdout=log,
            stderr=log,
        )
    deadline = monotonic() + 600
    while not any("-m compat.worker" in line for line in workers(tmp_path)):
        assert killed.poll() is None, (tmp_path / "log").read_text()
        assert monotonic() < deadline, (tmp_path / "log").read_text()
        sleep(0.1)
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    deadline = monotonic() + 60
    while (left := workers(tmp_path)) and monotonic() < deadline:
        sleep(0.1)
    assert left == []
    with FileLock(checkout / ".compat" / "running.lock", timeout=0):
        pass
