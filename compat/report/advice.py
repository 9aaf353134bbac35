"""Advice, for a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from packaging.specifiers import SpecifierSet

from compat.document.escape import printed
from compat.findings.advise import LeftOut, advise, builds_in, left_out, never_tested
from compat.findings.results import Results
from compat.report.words import number_of
from compat.runs.history import run_id
from compat.runs.ids import CellId
from compat.runs.model import Build
from compat.topics.topic import Advice, AdviceKind

_MOST_CELLS = 4


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What advice was asked for, and what came of it."""

    builds: Sequence[Build]
    subject: str
    advice: Sequence[Advice]
    never_tested: Sequence[str]
    left_out: Sequence[LeftOut]


def ask(results: Results, versions: SpecifierSet, subject: str = "") -> Asked:
    """Advice for a range of versions, of a subject if one is named."""
    builds = builds_in(results.matrix, versions, subject)
    return Asked(
        builds=builds,
        subject=subject,
        advice=advise(results, builds, subject),
        never_tested=never_tested(results.matrix, versions, subject),
        left_out=left_out(results, builds, subject),
    )


def advice_text(asked: Asked, results: Results) -> str:
    """What it rests on, then a paragraph a kind, an entry a thing, each with its cells."""
    seen_on = ", ".join(build.label for build in asked.builds)
    whose = f"{asked.subject} " if asked.subject else ""
    lines = [f"As {whose}was seen on {seen_on} in the run {run_id(results.run)}."]
    if not asked.subject:
        lines = [f"As seen on {seen_on} in the run {run_id(results.run)}."]
    lines += [f"Never tested: {each}." for each in asked.never_tested]
    if results.assessment.proves_nothing:
        lines.append(f"This run proves nothing: {results.assessment.proves_nothing}.")
    for kind in AdviceKind:
        told = [each for each in asked.advice if each.kind is kind]
        if told:
            lines += ["", f"{kind.value[0].upper()}{kind.value[1:]}:"]
        for each in told:
            lines += [f"* {each.about}. {each.text}", f"    {_evidence(each.cells)}"]
    if asked.left_out:
        number = number_of(sum(len(each.cells) for each in asked.left_out), "known failure")
        lines += ["", f"Left out of what breaks, since expected: {number} on these builds."]
    for known in asked.left_out:
        count = number_of(len(known.cells), "cell")
        lines += [f"* {count}: {known.reason} {known.link}", f"    {_evidence(known.cells)}"]
    return printed("\n".join(line.rstrip() for line in lines))


def _evidence(cells: Sequence[CellId]) -> str:
    rest = len(cells) - _MOST_CELLS
    return " ".join(cells[:_MOST_CELLS]) + (f" and {rest} more" if rest > 0 else "")
