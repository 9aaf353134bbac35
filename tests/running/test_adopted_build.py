"""A PyTorch that is there already, from the command line to the tables."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from compat.builds.environment import Environment, adopt
from tests.sabotaged_build import share_scratch

# On a machine that has no network, and of the project's dependencies not those two.
ALONE = """
import socket, sys

def refuse(*arguments):
    raise AssertionError(f"asked the network for {arguments}")

socket.socket.connect = socket.getaddrinfo = refuse
sys.modules["pypi_simple"] = sys.modules["jsonschema"] = None
from compat.cli import main
sys.exit(main())
"""


def test_what_is_there_is_enough(real_build: Callable[[str], Environment], tmp_path: Path) -> None:
    real = real_build("2.13")
    spec = f"python:{real.python}"
    share_scratch(real, adopt(real.python, tmp_path / ".compat" / "environments").scratch)
    options = ("--device", "cpu", "--probes", "gates.capability")
    # Nothing is installed: there is no index, and uv must not be asked.
    variables = os.environ | {"UV_OFFLINE": "1", "UV_NO_CACHE": "1"}
    probed = subprocess.run(
        [sys.executable, "-c", ALONE, "probe", "--builds", spec, *options],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env=variables,
    )
    assert probed.returncode == 0, probed.stderr
    assert "4 of 4 cells" in probed.stdout
    assert not list((tmp_path / ".compat" / "environments").glob("*-beside"))
    reported = subprocess.run([sys.executable, "-m", "compat", "report"], cwd=tmp_path)
    assert reported.returncode == 0


def test_it_is_probed_as_it_is(real_build: Callable[[str], Environment], tmp_path: Path) -> None:
    real = real_build("2.13")
    python = real.python
    share_scratch(real, adopt(python, tmp_path / ".compat" / "environments").scratch)
    before = sorted(python.parents[1].rglob("*"))
    spec = f"python:{python}"

    def compat(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "compat", *arguments],
            capture_output=True,
            text=True,
            cwd=tmp_path,
            env=os.environ | {"PYTHONPATH": ""},
        )

    probed = compat("probe", "--builds", spec, "--device", "cpu", "--probes", "gates.capability")
    assert probed.returncode == 0, probed.stderr
    assert "4 of 4 cells" in probed.stdout
    reported = compat("report")
    assert reported.returncode == 0, reported.stdout
    run = json.loads((tmp_path / "reports/latest/run.json").read_text())
    (build,) = run["builds"]
    assert build["aliases"] == [spec]
    # It is a release as it was released, and says how it came in.
    assert build["id"] == f"{build['version'].partition('+')[0]}-cpu"
    assert build["channel"] == "stable"
    assert build["note"].startswith("adopted: ")
    assert build["version"].startswith("2.13.")
    assert build["wheel"] is None
    assert [cell["outcome"] for cell in run["cells"]] == ["pass"] * 4
    findings = json.loads((tmp_path / "reports/latest/findings.json").read_text())
    verdicts = {
        gate["feature"]: list(gate["verdicts"].values())
        for gate in findings["topics"]["gates"]["gates"]
    }
    assert verdicts["donate_graph_module"] == ["used"]
    assert sorted(python.parents[1].rglob("*")) == before, "the environment was changed"

    first = (tmp_path / "reports/README.md").read_bytes()
    assert compat("report").returncode == 0
    assert (tmp_path / "reports/README.md").read_bytes() == first
