"""What changed in the private names from build to build."""

from __future__ import annotations

from itertools import pairwise

from compat.findings.lookup import cells_of
from compat.findings.model import SurfaceChange
from compat.runs.model import Outcome, Run

PROBE = "surface.name"
GONE = "gone"


def find_surface(run: Run) -> list[SurfaceChange]:
    """Every change between two builds that lie next to each other among those that were asked."""
    changes = []
    names = dict.fromkeys(cell.params["name"] for cell in run.cells if cell.probe == PROBE)
    for name in names:
        seen: list[tuple[str, str]] = []
        for build in run.builds:
            for cell in cells_of(run, build, PROBE, name=name):
                if "signature" in cell.metrics:
                    seen.append((build.label, cell.metrics["signature"]))
                elif cell.outcome is Outcome.FAIL:
                    seen.append((build.label, GONE))
        changes += [
            SurfaceChange(name=name, before=before, after=after, was=was, became=became)
            for (before, was), (after, became) in pairwise(seen)
            if was != became
        ]
    return changes
