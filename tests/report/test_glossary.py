"""The glossary has every word that the program says, with the meaning that it gives."""

from __future__ import annotations

import re

from compat.findings.excuses import Ready
from compat.report.words import CHANGES, MEANINGS
from compat.runs.answers import Change
from compat.runs.model import Outcome
from compat.topics.upgrade import Says
from tests.conftest import ROOT

GLOSSARY = (ROOT / "docs" / "glossary.md").read_text("utf-8")
ROWS = dict(re.findall(r"^\| ([\w -]+) \| (.+) \|$", GLOSSARY, re.MULTILINE))


def test_every_outcome_means_what_the_legend_says() -> None:
    assert {each.value: ROWS.get(each.value) for each in Outcome} == {
        each.value: MEANINGS[each] for each in Outcome
    }


def test_every_change_cell_and_readiness_is_explained() -> None:
    words = {*(each.value for each in (*Change, *Says, *Ready))}
    assert words <= ROWS.keys()
    assert all(change.value in CHANGES[change] for change in Change)


def test_the_words_of_the_issue_are_there() -> None:
    asked = "check cell outcome answer gate capability baseline reused inconclusive"
    for word in [*asked.split(), "known failure"]:
        assert word in ROWS or f"**{word}**" in GLOSSARY, word
