"""A build that cannot even be imported is a column of not-run and turns the run red."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow


@pytest.fixture
def broken_python(tmp_path: Path) -> Path:
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "broken"], check=True)
    (site,) = (tmp_path / "broken" / "lib").glob("python*/site-packages")
    (site / "torch").mkdir()
    (site / "torch" / "__init__.py").write_text(
        "raise ImportError('libcudart.so.13: cannot open shared object file')\n"
    )
    return tmp_path / "broken" / "bin" / "python"


def test_a_torch_whose_import_fails(broken_python: Path, tmp_path: Path) -> None:
    def compat(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "compat", *arguments]
        return subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)

    probed = compat("probe", "--builds", f"python:{broken_python}", "--device", "cpu")
    assert probed.returncode == 0, probed.stderr
    reported = compat("report")
    assert reported.returncode == 1
    assert "local-broken is not ready for the builtin interface: import: " in reported.stdout
    assert "Traceback" not in reported.stdout + reported.stderr
    run = json.loads((tmp_path / "reports/latest/run.json").read_text())
    (build,) = run["builds"]
    assert build["status"] == "broken"
    assert build["reason"].startswith(
        "import: the worker ended with status 1: ImportError: libcudart.so"
    )
    assert "libcudart" in (tmp_path / "reports/README.md").read_text()
