"""The sentences that the program prints, in one file to be read aloud.

``UPDATE_GOLDEN=1 pytest tests/report/test_sentences.py`` writes it anew. Every probe has left every
kind of record, on a CPU and a GPU, passed and failed; and there are the few cells that were really
seen. What needs several cells that differ, a test of its topic holds word for word.
"""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from packaging.specifiers import SpecifierSet

from compat.document.parts import Section, plain_text
from compat.findings.expectations import load_expectations
from compat.findings.results import Results, results_of
from compat.report.advice import advice_text, ask
from compat.report.excuses import excuses_text
from compat.report.plots import plots
from compat.report.upgrade import HOW_TO_READ, meanings, upgrade_notes
from compat.report.verdict import verdict
from compat.runs.history import EMPTY
from compat.runs.store import load
from compat.topics.registry import TOPICS
from tests.conftest import RECORDED
from tests.findings.making import report
from tests.report.test_golden import check
from tests.report.test_text_stays_text import hostile_run

TEXT = "a text of the build"


@pytest.fixture(scope="module")
def told() -> list[Results]:
    seen = results_of(load(RECORDED), EMPTY, load_expectations())
    return [report(hostile_run(20, TEXT), hostile_run(21, TEXT)), seen]


def sections(results: Results) -> Iterable[Section]:
    for topic in TOPICS:
        yield from topic.show(results.matrix, results.findings.topics[topic.name])


def sentences(results: Results) -> Iterable[str]:
    """All that is said in whole sentences, whoever says it."""
    yield verdict(results.assessment)
    yield plain_text(HOW_TO_READ)
    yield from upgrade_notes(results.upgrade)
    yield from meanings(results.upgrade)
    yield from (f"{plain_text(row.name)}: {row.cost}" for row in results.upgrade.rows if row.cost)
    yield from excuses_text(results)
    yield from (f"{each.title}. {each.text}" for each in results.findings.sentences)
    for section in sections(results):
        yield f"{section.title}: {section.intro}"
        yield from map(plain_text, section.notes)
    for topic in TOPICS:
        charts = topic.draw(results.matrix, results.findings.topics[topic.name])
        yield from (f"{chart.title}: {chart.text}" for chart in charts if chart.labels)
    yield from (f"{plot.title}: {plot.text}" for plot in plots(results))
    advice = advice_text(ask(results, SpecifierSet(">=2.11")), results)
    yield from (line for line in advice.splitlines() if not line.startswith("    "))


def test_every_sentence_reads_as_it_did(told: list[Results]) -> None:
    found = dict.fromkeys(each for results in told for each in sentences(results) if each.strip())
    check("sentences.txt", "".join(f"{sentence}\n" for sentence in found))


def test_who_has_no_example_here_is_known(told: list[Results]) -> None:
    silent = {
        topic.name
        for topic in TOPICS
        if not any(
            [*topic.say(results.matrix, results.findings.topics[topic.name])] for results in told
        )
    }
    assert silent == {
        *("corpus", "cost", "engine", "subjects", "suites", "workarounds"),
        *("failing", "machines", "reach", "training"),
    }
