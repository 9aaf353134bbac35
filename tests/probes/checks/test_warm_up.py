"""A trial of torch's that is a Python of its own, as a fork. Runs inside a build."""

from __future__ import annotations

import subprocess
import sys

import pytest

from compat.worker.warm_up import _python_in_a_fork


@pytest.mark.parametrize(
    "code",
    [
        "import torch; from ctypes import cdll; cdll.LoadLibrary('/nowhere.so')",
        "import os, signal; os.kill(os.getpid(), signal.SIGILL)",
        "raise SystemExit(3)",
    ],
)
def test_it_fails_where_the_python_would(code: str) -> None:
    with pytest.raises(subprocess.CalledProcessError):
        _python_in_a_fork([sys.executable, "-c", code], stderr=subprocess.DEVNULL)


def test_it_works_where_the_python_would() -> None:
    code = "import sys; assert 'torch' in sys.modules and 'pytest' in sys.modules"
    assert _python_in_a_fork([sys.executable, "-c", code], cwd="/", env={}) == 0


def test_what_is_no_python_is_started() -> None:
    assert _python_in_a_fork(["true"]) == 0
    with pytest.raises(subprocess.CalledProcessError):
        _python_in_a_fork(["false"])
