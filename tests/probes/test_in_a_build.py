"""What probes are made of, inside real builds: pytest runs once in each build's environment."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from compat.builds.environment import Environment
from tests.conftest import ROOT, variables_inside


@pytest.mark.parametrize("spec", ["2.11", "2.13"])
def test_checks(spec: str, real_build: Callable[[str], Environment], tmp_path: Path) -> None:
    environment = real_build(spec)
    temporary = environment.scratch / "tmp"
    temporary.mkdir(exist_ok=True)
    answer = subprocess.run(
        [
            *(str(environment.python), "-m", "pytest", "-q", "-p", "no:cacheprovider"),
            *("-c", str(Path(__file__).parent / "checks" / "pytest.ini"), f"--rootdir={ROOT}"),
            str(Path(__file__).parent / "checks"),
        ],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={
            **variables_inside(environment),
            "TMPDIR": str(temporary),
            "TORCHINDUCTOR_CACHE_DIR": str(tmp_path / "inductor"),
            "TORCHINDUCTOR_COMPILE_THREADS": "1",
        },
        check=False,
    )
    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert " passed" in answer.stdout
    assert " skipped" not in answer.stdout
