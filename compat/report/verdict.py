"""What a run comes to, in one line."""

from __future__ import annotations

from collections.abc import Sized

from compat.findings.assess import Assessment, Color
from compat.report.words import listed, number_of

GLYPHS = {Color.RED: "❌", Color.GREY: "❔", Color.AMBER: "🟡", Color.GREEN: "✅"}


def verdict(assessment: Assessment) -> str:
    """One line: what is unexpected, what is known, and what was not tested."""
    builds = f"on {number_of(len(assessment.tested), 'build')}"
    if assessment.proves_nothing:
        said = f"This run proves nothing: {assessment.proves_nothing}."
    elif assessment.color is Color.RED:
        said = f"{assessment.red} unexpected {builds}: {_unexpected(assessment)}."
    else:
        known = f"{number_of(assessment.known, 'known failure')}, none new,"
        said = f"{known if assessment.known else 'Nothing unexpected'} {builds}."
    return f"{said} {not_tested(assessment)}".strip()


def _unexpected(assessment: Assessment) -> str:
    parts: dict[str, Sized] = {
        f"{number_of(len(assessment.broken), 'build')} broken as a whole": assessment.broken,
        f"{number_of(len(assessment.broken_pairs), 'subject')} broken as a whole on a build": (
            assessment.broken_pairs
        ),
        number_of(len(assessment.failures), "failure"): assessment.failures,
        f"{number_of(len(assessment.silent), 'cell')} without a usable answer": assessment.silent,
        f"{number_of(len(assessment.lost), 'answer')} lost or worse": assessment.lost,
    }
    return listed([text for text, found in parts.items() if found])


def not_tested(assessment: Assessment) -> str:
    """The builds of which nothing is known, and how many cells say nothing; empty if all is."""
    names = dict.fromkeys(
        f"{name}{'' if each.build.device == 'cpu' else f' {each.build.device}'}"
        for each in assessment.not_tested
        for name in each.names
    )
    said = [f"Not tested: {listed(list(names))}."] if names else []
    if assessment.unknown:
        said.append(f"{number_of(assessment.unknown, 'cell')} of the tested builds unknown.")
    return " ".join(said)
