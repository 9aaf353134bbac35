"""What still holds of what earlier runs saw."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from compat.runs.contents import Described, Key
from compat.runs.decode import decode
from compat.runs.ids import CheckId
from compat.runs.model import Outcome, to_json
from compat.runs.reuse import Known, look_up
from compat.runs.store import RunFolder, merge
from tests.conftest import ENVIRONMENT, SOURCE, make_build

BUILD = make_build("2.13.0")
KEY = Key(
    environment="e1", plan="p1", probes={"a.one": "s1", "b.two": "s2"}, depth="default", select=()
)
ONE = {"probe": "a.one", "params": {"x": "1"}}
TWO = {"probe": "b.two", "params": {}}


def seen(
    runs: Path, *cells: dict[str, Any], key: Key = KEY, ended: bool = True, **extra: Any
) -> RunFolder:
    """A run that planned both checks and saw ``cells``."""
    folder = RunFolder.create(runs, SOURCE.harness, SOURCE.host)
    stream = folder.stream(BUILD.id)
    stream.append("build", to_json(BUILD))
    stream.append("key", to_json(key))
    stream.append("environment", ENVIRONMENT)
    stream.append("plan", *({**each, "description": ""} for each in (ONE, TWO)))
    stream.append("cell", *cells)
    if ended:
        stream.append("end", {"status": "ok", "reason": "", "seconds": {}})
    return folder


def known(runs: Path, key: Key = KEY) -> Known:
    return look_up(RunFolder.all(runs), "2.13.0-cpu.jsonl", key)


def test_an_unchanged_build_is_complete(tmp_path: Path) -> None:
    first = seen(tmp_path, {**ONE, "outcome": "pass"}, {**TWO, "outcome": "unsupported"})
    found = known(tmp_path)
    assert found.complete
    assert found.environment == decode(ENVIRONMENT, Described)
    assert list(found.cells) == ["a.one[1]", "b.two"]
    assert {cell.seen_in for cell in found.cells.values()} == {first.source.id}
    assert list(found.sources) == [first.source.id]


@pytest.mark.parametrize(("days", "still"), [(29, True), (31, False)])
def test_a_cell_is_seen_again_once_a_month_however_often_it_is_taken_over(
    days: int, still: bool, tmp_path: Path
) -> None:
    day = datetime.now(timezone.utc) - timedelta(days=days)
    seen_in = f"{day:%Y-%m-%d}T050000.000Z"
    folder = seen(tmp_path, {**ONE, "outcome": "pass", "seen_in": seen_in})
    (stream,) = folder.streams()
    stream.append("source", to_json(replace(SOURCE, id=seen_in)))
    assert ("a.one[1]" in known(tmp_path).cells) is still


def test_who_saw_a_cell_stays_known_however_often_it_is_taken_over(tmp_path: Path) -> None:
    first = seen(tmp_path, {**ONE, "outcome": "pass"}, {**TWO, "outcome": "pass"})
    for _ in range(2):
        found = known(tmp_path)
        again = RunFolder.create(tmp_path, SOURCE.harness, SOURCE.host)
        stream = again.stream(BUILD.id)
        stream.append("build", to_json(BUILD))
        stream.append("key", to_json(KEY))
        found.write(stream)
        stream.append("end", {"status": "ok", "reason": "", "seconds": {}})
        assert merge([again]) == merge([first])


@pytest.mark.parametrize(
    ("changed", "left"),
    [
        (replace(KEY, environment="e2"), []),
        (replace(KEY, environment=""), []),
        (replace(KEY, probes={"a.one": "s1", "b.two": "edited"}), ["a.one[1]"]),
        (replace(KEY, probes={"a.one": "s1"}), ["a.one[1]"]),
        (replace(KEY, plan="p2"), ["a.one[1]", "b.two"]),
        (replace(KEY, select=("b.",)), ["b.two"]),
    ],
)
def test_a_changed_key_repeats_what_it_changes(
    tmp_path: Path, changed: Key, left: list[str]
) -> None:
    seen(tmp_path, {**ONE, "outcome": "pass"}, {**TWO, "outcome": "pass"})
    assert list(known(tmp_path, changed).cells) == left


def test_nothing_holds_where_the_environment_has_no_identity(tmp_path: Path) -> None:
    nameless = replace(KEY, environment="")
    seen(tmp_path, {**ONE, "outcome": "pass"}, key=nameless)
    assert known(tmp_path, nameless).cells == {}
    assert known(tmp_path, nameless).outcomes == {"a.one[1]": Outcome.PASS}


def test_a_changed_plan_is_asked_for_again(tmp_path: Path) -> None:
    seen(tmp_path, {**ONE, "outcome": "pass"}, {**TWO, "outcome": "pass"})
    assert not known(tmp_path, replace(KEY, plan="p2")).complete
    assert not known(tmp_path, replace(KEY, depth="full")).complete


@pytest.mark.parametrize(
    ("asked", "complete"), [((), False), (("two",), True), (("b.two",), True), (("one",), False)]
)
def test_a_narrow_run_answers_narrower_questions(
    tmp_path: Path, asked: tuple[str, ...], complete: bool
) -> None:
    folder = RunFolder.create(tmp_path, SOURCE.harness, SOURCE.host)
    stream = folder.stream(BUILD.id)
    stream.append("build", to_json(BUILD))
    stream.append("key", to_json(replace(KEY, select=("two",))))
    stream.append("environment", ENVIRONMENT)
    stream.append("plan", {**TWO, "description": ""})
    stream.append("cell", {**TWO, "outcome": "pass"})
    stream.append("end", {"status": "ok", "reason": "", "seconds": {}})
    assert known(tmp_path, replace(KEY, select=asked)).complete is complete


@pytest.mark.parametrize("outcome", ["timeout", "not-run"])
def test_what_says_nothing_lasting_is_seen_again(tmp_path: Path, outcome: str) -> None:
    seen(tmp_path, {**ONE, "outcome": "pass"}, {**TWO, "outcome": outcome})
    assert list(known(tmp_path).cells) == ["a.one[1]"]


def test_a_flaky_cell_is_seen_again_and_stands_for_nothing(tmp_path: Path) -> None:
    seen(tmp_path, {**ONE, "outcome": "crash"}, {**ONE, "outcome": "pass"})
    found = known(tmp_path)
    assert (found.cells, found.outcomes) == ({}, {})


def test_a_confirmed_failure_holds_with_both_its_outcomes(tmp_path: Path) -> None:
    seen(tmp_path, {**ONE, "outcome": "fail"}, {**ONE, "outcome": "fail", "reason": "again"})
    cell = known(tmp_path).cells[CheckId("a.one[1]")]
    assert cell.first is not None
    assert (cell.reason, cell.first.outcome) == ("again", Outcome.FAIL)


def test_of_a_killed_run_only_what_needs_no_second_try_holds(tmp_path: Path) -> None:
    cells = ({**ONE, "outcome": "pass"}, {**TWO, "outcome": "fail"})
    seen(tmp_path, *cells, ended=False)
    assert list(known(tmp_path).cells) == ["a.one[1]"]
    assert not known(tmp_path).complete


def test_the_newest_counts(tmp_path: Path) -> None:
    seen(tmp_path, {**ONE, "outcome": "pass"})
    newer = seen(tmp_path, {**ONE, "outcome": "unsupported"})
    found = known(tmp_path)
    one = CheckId("a.one[1]")
    assert found.cells[one].seen_in == newer.source.id
    assert found.outcomes[one] is Outcome.UNSUPPORTED


ACROSS = {"probe": "b.two", "params": {"saved_by": "2.12.1"}}
ASKED = replace(KEY, others={"2.12.1": "x1"})


@pytest.mark.parametrize(
    ("others", "left"),
    [
        ({}, ["a.one[1]"]),
        ({"2.12.1": "x1"}, ["b.two[2.12.1]"]),
        ({"2.12.1": "x1", "2.11.0": "w1"}, ["b.two[2.12.1]"]),
        ({"2.12.1": "x2"}, []),
        ({"2.12.1": ""}, []),
        ({"2.11.0": "x1"}, []),
    ],
)
def test_what_another_build_saved_counts_as_long_as_that_one_is_the_same(
    tmp_path: Path, others: dict[str, str], left: list[str]
) -> None:
    for theirs in ("x1", ""):
        key = replace(KEY, others={"2.12.1": theirs})
        seen(tmp_path, {**ONE, "outcome": "pass"}, {**ACROSS, "outcome": "pass"}, key=key)
    seen(tmp_path, {**ONE, "outcome": "pass"}, {**ACROSS, "outcome": "pass"}, key=ASKED)
    assert list(known(tmp_path, replace(KEY, others=others)).cells) == left


def test_more_builds_than_were_asked_about(tmp_path: Path) -> None:
    folder = seen(tmp_path, {**ACROSS, "outcome": "pass"}, key=ASKED)
    folder.stream(BUILD.id).append("plan", {**ACROSS, "description": ""})
    assert known(tmp_path, ASKED).complete
    assert not known(tmp_path, replace(KEY, others={"2.12.1": "x1", "2.11.0": "w1"})).complete
