"""Where what a report is read from lies, below its folder."""

from __future__ import annotations

from pathlib import Path

HISTORY = Path("data") / "history.json"
LATEST_RUN = Path("latest") / "run.json"
README = Path("README.md")
# The files of its failures; of one name each, without folders below.
REPROS = Path("repro")
