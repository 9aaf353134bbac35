"""Where commands keep and find things, below the current folder."""

from __future__ import annotations

from pathlib import Path

HOME = Path(".compat")
RUNS = HOME / "runs"
PLAN = HOME / "plan"
REPORTS = Path("reports")
PUBLISHED_RUNS = REPORTS / "data" / "runs"
