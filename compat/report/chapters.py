"""What a run says, topic by topic: the findings, and the tables that they rest on."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from compat.document.parts import Section, Sentence
from compat.findings.results import Results
from compat.report.awaited import show_awaited
from compat.topics.devices.view import say_differences, show_differences
from compat.topics.registry import TOPICS


@dataclass(frozen=True, kw_only=True)
class Chapter:
    """One topic; what it has to say of a run may be nothing."""

    title: str
    sentences: tuple[Sentence, ...]
    sections: tuple[Section, ...]


def chapters(results: Results) -> Iterable[Chapter]:
    """In the order in which a reader needs them."""
    matrix, findings = results.matrix, results.findings
    yield Chapter(title="Fixes awaited", sentences=(), sections=(*show_awaited(results.awaited),))
    for topic in TOPICS:
        found = findings.topics[topic.name]
        yield Chapter(
            title=topic.title,
            sentences=tuple(topic.say(matrix, found)),
            sections=tuple(topic.show(matrix, found)),
        )
    yield Chapter(
        title="Where a GPU differs from a CPU",
        sentences=tuple(say_differences(findings.devices)),
        sections=tuple(show_differences(findings.devices)),
    )
