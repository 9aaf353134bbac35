"""Subjects in words and tables: a claimed break is told, an unsupported pair is grey."""

from __future__ import annotations

import json

from compat.adapters.protocol import Verdict
from compat.runs.model import Outcome, to_json
from compat.topics.subjects.finding import find
from compat.topics.subjects.view import say, show
from tests.topics.cells import make_cell
from tests.topics.saying import rows
from tests.topics.subjects.cells import (
    LACKS,
    NEW,
    OLD,
    VLLM,
    broke,
    compiled,
    matrix,
    params,
    works,
)

CELLS = (
    works(OLD, Verdict.ABSENT),
    broke(OLD, Outcome.ERROR),
    works(NEW),
    broke(NEW, Outcome.UNSUPPORTED),
)


def test_what_breaks_on_its_own_pin_is_said_once() -> None:
    found = matrix(*CELLS)
    broken, missed = say(found, find(found))
    assert broken.title == "vllm-0.20.2: the path legacy is broken on 2.11.0"
    assert broken.text.startswith(f"torch reads {LACKS}, which the subject's object lacks. ")
    assert "in the same way on 2.13.0, which this release does not claim to support" in broken.text
    assert broken.cells == (CELLS[1].id, CELLS[3].id)
    assert missed.title == "vllm-0.20.2: does not use donate_graph_module"
    assert missed.cells == (CELLS[2].id,)


def test_it_says_up_to_which_build_it_worked() -> None:
    record = compiled(gates={})
    before = make_cell("2.10.0-cpu", record, params=params("legacy"), subject=VLLM.id)
    found = matrix(before, broke(OLD, Outcome.ERROR))
    (sentence,) = say(found, find(found))
    assert sentence.text.endswith(" The last build on which it works is 2.10.0.")


def test_what_breaks_where_it_is_not_claimed_is_no_sentence() -> None:
    found = matrix(works(OLD, Verdict.USED), broke(NEW, Outcome.UNSUPPORTED))
    assert list(say(found, find(found))) == []


def test_a_keyword_that_the_build_does_not_take() -> None:
    found = matrix(works(OLD, Verdict.BROKEN))
    (sentence,) = say(found, find(found))
    assert sentence.title == "vllm-0.20.2: passes donate_graph_module where it is not there"
    assert "2.11.0" in sentence.text


def test_the_tables() -> None:
    found = matrix(*CELLS)
    paths, gates = show(found, find(found))
    assert rows(paths) == [
        ["subject", "path", "2.11.0", "2.13.0"],
        ["vllm-0.20.2", "standalone", "✅", "✅"],
        ["vllm-0.20.2", "legacy", "💥", "➖"],
    ]
    assert rows(gates) == [
        ["subject", "keyword", "2.11.0", "2.13.0"],
        ["vllm-0.20.2", "donate_graph_module", "➖ absent", "🟡 missed"],
    ]
    assert "vllm-0.20.2 requires torch==2.11.0." in paths.notes


def test_what_breaks_where_it_is_not_claimed_is_never_shown_as_a_pass() -> None:
    passed = make_cell(
        NEW,
        compiled(),
        params=params("legacy") | {"place": "outside"},
        subject=VLLM.id,
    )
    found = matrix(broke(NEW, Outcome.UNSUPPORTED), passed)
    paths, _ = show(found, find(found))
    assert rows(paths)[1:] == [["vllm-0.20.2", "legacy", "➖ 1 of 2"]]


def test_the_finding_can_be_published() -> None:
    found = find(matrix(*CELLS))
    assert json.loads(json.dumps(to_json(found)))["paths"]
