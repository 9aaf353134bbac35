"""Bad usage: one line that names the input, status 2, no traceback."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from compat.probes.names import probes
from compat.worker.gpu import gpu_is_there

pytestmark = pytest.mark.slow


def compat(*arguments: str, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "compat", *arguments],
        capture_output=True,
        text=True,
        cwd=cwd,
        env={**os.environ, **environment},
        check=False,
    )


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["builds", "--builds", "2.x"], "'2.x'"),
        (["builds", "--builds"], "--builds"),
        (["builds", "--builds-file", "no.toml"], "no.toml"),
        (["builds", "--builds", "2.13", "--python", "3"], "such as 3.10, not '3'"),
        (["probe", "--builds", "2.13", "--probes", "nothing.like.it"], "'nothing.like.it'"),
        (["probe", "--builds", "2.13", "--jobs", "0"], "from 1 on, not '0'"),
        (["probe", "--device", "tpu"], "tpu"),
        (["report"], "nox -s matrix"),
        (["report", "nowhere"], "nowhere"),
        (["report", "--planned"], "compat plan"),
        (["job", "2.15.0-cpu"], "compat plan"),
        (["bisect", "--probe", "a.b", "--good", "2.13", "--bad", "2.11"], "an older build"),
        (["bisect", "--probe", "a.b", "--good", "2.11", "--bad", "2.13"], "'a.b'"),
        (["report", "--planned", "nowhere"], "no folders of runs beside it, not nowhere"),
        (["frobnicate"], "frobnicate"),
    ],
)
def test_one_clear_line(arguments: list[str], named: str, tmp_path: Path) -> None:
    answer = compat(*arguments, cwd=tmp_path)
    assert answer.returncode == 2
    assert answer.stdout == ""
    (line,) = answer.stderr.splitlines()
    assert line.startswith("compat: ")
    assert named in line


def test_a_python_without_torch(tmp_path: Path) -> None:
    answer = compat("probe", "--builds", f"python:{sys.executable}", cwd=tmp_path)
    assert answer.returncode == 2
    assert answer.stderr.splitlines() == [
        f"compat: python:{sys.executable}: expected an environment with torch; it has none"
    ]


def test_a_python_that_is_none(tmp_path: Path) -> None:
    answer = compat("probe", "--builds", "python:/bin/false", cwd=tmp_path)
    assert answer.returncode == 2
    assert answer.stderr == "compat: python:/bin/false: expected a Python interpreter\n"


@pytest.mark.skipif(gpu_is_there(), reason="this machine has a GPU")
def test_a_bisection_on_a_gpu_that_is_not_there(tmp_path: Path) -> None:
    ends = ("--good", "2.11", "--bad", "2.13")
    answer = compat("bisect", "--probe", "a.b", *ends, "--device", "cuda", cwd=tmp_path)
    assert answer.returncode == 2
    expected = "compat: --device cuda: expected an NVIDIA GPU; this machine has none\n"
    assert answer.stderr == expected


def test_no_compiler(tmp_path: Path) -> None:
    answer = compat("probe", "--builds", "2.13", cwd=tmp_path, CXX="no-such-c++")
    assert answer.returncode == 2
    (line,) = answer.stderr.splitlines()
    assert "'no-such-c++'" in line
    assert "install g++" in line


def test_probes_are_named_without_torch() -> None:
    names = [probe.name for probe in probes()]
    assert {"parity.outputs", "donation.copies", "tracing_context.needed"} <= set(names)
    assert "torch" not in sys.modules
