"""``compat matrix``: probe builds, then make the tables from just that run."""

from __future__ import annotations

import argparse

from compat.commands.places import writing_reports
from compat.commands.probe import probe_as_parsed
from compat.commands.report import reported
from compat.runs.store import merge


def matrix(parsed: argparse.Namespace) -> int:
    probed = probe_as_parsed(parsed)
    with writing_reports():
        # Not the newest by name: the clock may have gone back since that one was made.
        return reported(merge([probed])).assessment.status
