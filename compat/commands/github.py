"""What GitHub tells a step of a workflow, and where it takes something from one."""

from __future__ import annotations

import os
from pathlib import Path

from compat.errors import UsageError

# What a workflow sets to choose what is planned, and where a GPU is found.
VARIABLES = ("COMPAT_BUILDS", "COMPAT_DEVICE", "COMPAT_DEPTH")
GPU_RUNNER = "COMPAT_GPU_RUNNER"
# The files that GitHub gives a step to write into.
OUTPUT = "GITHUB_OUTPUT"
SUMMARY = "GITHUB_STEP_SUMMARY"


def append(variable: str, text: str) -> None:
    """Add ``text`` to the file that GitHub names in an environment variable."""
    if variable not in os.environ:
        raise UsageError(f"--github: expected a file named by {variable}")
    with Path(os.environ[variable]).open("a", encoding="utf-8") as file:
        file.write(text)
