"""What the machine is, although somebody disturbs."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from compat.worker.machine import compiler_version

pytestmark = pytest.mark.slow


def compiler(folder: Path, *, killed: int) -> str:
    """One that is killed the first times that it is asked."""
    path = folder / "g++"
    path.write_text(
        f"""#!/bin/sh
echo asked >> {folder}/asked
[ $(wc -l < {folder}/asked) -gt {killed} ] || kill -TERM $$
echo "g++ 12.2.0"
echo "more"
"""
    )
    path.chmod(0o755)
    return str(path)


def test_a_signal_to_the_compiler_breaks_no_build(tmp_path: Path) -> None:
    """Seen in the soak."""
    assert compiler_version(compiler(tmp_path, killed=1)) == "g++ 12.2.0"


def test_one_that_always_ends_so_is_broken(tmp_path: Path) -> None:
    with pytest.raises(subprocess.CalledProcessError, match="SIGTERM"):
        compiler_version(compiler(tmp_path, killed=9))
