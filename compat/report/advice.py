"""Advice, for a terminal."""

from __future__ import annotations

from collections.abc import Sequence

from compat.document.escape import printed
from compat.findings.results import Results
from compat.report.verdict import not_tested
from compat.report.words import number_of
from compat.runs.history import run_id
from compat.runs.model import Build
from compat.topics.topic import Advice, AdviceKind

_MOST_CELLS = 4


def advice_text(advice: Sequence[Advice], builds: Sequence[Build], results: Results) -> str:
    """What it rests on, then a paragraph a kind, an entry a thing, each with its cells."""
    seen_on = ", ".join(build.label for build in builds)
    lines = [f"As seen on {seen_on} in the run {run_id(results.run)}."]
    lines += filter(None, [not_tested(results.assessment)])
    if results.assessment.proves_nothing:
        lines.append(f"This run proves nothing: {results.assessment.proves_nothing}.")
    for kind in AdviceKind:
        told = [each for each in advice if each.kind is kind]
        if told:
            lines += ["", f"{kind.value[0].upper()}{kind.value[1:]}:"]
        for each in told:
            lines += [f"* {each.about}. {each.text}", f"    {_evidence(each)}"]
    asked_of = {build.id for build in builds}
    known = sum(cell.build in asked_of for cell in results.findings.expected)
    if known:
        lines += ["", f"Left out: {number_of(known, 'known failure')} on these builds."]
    return printed("\n".join(line.rstrip() for line in lines))


def _evidence(advice: Advice) -> str:
    rest = len(advice.cells) - _MOST_CELLS
    return " ".join(advice.cells[:_MOST_CELLS]) + (f" and {rest} more" if rest > 0 else "")
