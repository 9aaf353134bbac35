"""Advice, for a terminal."""

from __future__ import annotations

from collections.abc import Sequence

from compat.findings.advise import Advice, Kind
from compat.report.escape import visible
from compat.runs.model import Build

_MOST_CELLS = 4


def advice_text(advice: Sequence[Advice], builds: Sequence[Build], run: str) -> str:
    """One paragraph a kind, one entry a thing, each with the cells that say so."""
    lines = [f"As seen on {', '.join(build.label for build in builds)} in the run {run}."]
    for kind in Kind:
        told = [each for each in advice if each.kind is kind]
        if told:
            lines += ["", f"{kind.value[0].upper()}{kind.value[1:]}:"]
        for each in told:
            lines += [f"* {each.about}. {each.text}", f"    {_evidence(each)}"]
    return visible("\n".join(line.rstrip() for line in lines))


def _evidence(advice: Advice) -> str:
    rest = len(advice.cells) - _MOST_CELLS
    return " ".join(advice.cells[:_MOST_CELLS]) + (f" and {rest} more" if rest > 0 else "")
