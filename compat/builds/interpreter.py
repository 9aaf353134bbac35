"""Asks the interpreter of an environment about what lies there, without importing torch."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

# On a busy machine, and with all files of torch to be read.
ANSWER_TIMEOUT_S = 300


def ask(python: Path, question: str, *arguments: str) -> Any:
    """What a program prints as JSON; it leaves no bytecode in the environment.

    Raises:
        OSError: There is no interpreter.
        subprocess.SubprocessError: The program failed, or did not answer in time.
        json.JSONDecodeError: It printed something else.
    """
    answer = subprocess.run(
        [str(python), "-B", "-c", question, *arguments],
        capture_output=True,
        text=True,
        check=True,
        timeout=ANSWER_TIMEOUT_S,
    )
    return json.loads(answer.stdout)
