"""The names of the probes, read without torch."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from pathlib import Path

from compat.errors import UsageError


def probe_names() -> list[str]:
    """``family.name`` of every probe, in the order in which they run."""
    return [
        f"{path.stem.removeprefix('test_')}.{node.name.removeprefix('test_')}"
        for path in sorted(Path(__file__).parent.glob("test_*.py"))
        for node in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    ]


def check_selection(texts: Sequence[str]) -> None:
    """Refuse a text that is in no probe's id; what is in brackets is not looked at.

    Raises:
        UsageError: Names the text and what there is.
    """
    names = probe_names()
    for text in texts:
        if not any(text.partition("[")[0] in name for name in names):
            raise UsageError(f"--probes {text!r} is in no probe's id; there are {', '.join(names)}")
