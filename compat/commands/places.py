"""Where commands keep and find things, below the current folder."""

from __future__ import annotations

from pathlib import Path

HOME = Path(".compat")
RUNS = HOME / "runs"
PLAN = HOME / "plan"
REPORTS = Path("reports")
PUBLISHED_RUNS = REPORTS / "data" / "runs"
# The id of the plan that the reports are of; of two plans the later one's is greater.
PUBLISHED_PLAN = REPORTS / "data" / "plan.txt"
