"""What keeps the fast tests fast."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable

import pytest


@pytest.mark.parametrize("start", [os.fork, lambda: subprocess.run(["true"])])
def test_a_fast_test_that_starts_a_process_fails(start: Callable[[], object]) -> None:
    with pytest.raises(pytest.fail.Exception, match="marked slow"):
        start()


@pytest.mark.slow
def test_a_slow_one_may() -> None:
    assert subprocess.run(["true"]).returncode == 0
