"""How much more work a compilation may take."""

from __future__ import annotations

from dataclasses import replace

import pytest

from compat.runs.answers import Change, Said, relate
from compat.topics.cost.answers import ANSWERS
from compat.topics.cost.records import RECORDS, CompileTime, PathTime, Work

WORK = Work(calls=140_000, instructions=2_000_000_000)


def answers_of(record: Work | CompileTime) -> dict[str, Said]:
    return {each.name: each for each in ANSWERS[type(record)](record)}


def changes(before: Work, after: Work) -> dict[str, Change]:
    old, new = answers_of(before), answers_of(after)
    return {name: relate(new[name].scale, old[name].value, new[name].value) for name in old}


def test_every_record_is_read() -> None:
    assert set(ANSWERS) == set(RECORDS.values())


@pytest.mark.parametrize(
    ("factor", "change"),
    [
        (10, Change.WORSE),
        (2, Change.WORSE),
        (1.5, Change.WORSE),
        (1.2, Change.SAME),
        (1, Change.SAME),
        (0.85, Change.SAME),
        (0.5, Change.BETTER),
    ],
)
def test_calls(factor: float, change: Change) -> None:
    after = replace(WORK, calls=round(WORK.calls * factor))
    assert changes(WORK, after) == {"calls": change, "instructions": Change.SAME}


def test_instructions() -> None:
    assert WORK.instructions is not None
    after = replace(WORK, instructions=2 * WORK.instructions)
    assert changes(WORK, after) == {"calls": Change.SAME, "instructions": Change.WORSE}


def test_a_machine_that_cannot_count_instructions_is_no_better() -> None:
    after = replace(WORK, instructions=None)
    assert changes(WORK, after) == {"calls": Change.SAME, "instructions": Change.UNKNOWN}


def test_seconds_are_no_answers() -> None:
    time = PathTime(path="donated", median_s=1.5, min_s=1.2, max_s=2.0, repeats=5)
    assert answers_of(CompileTime(paths=(time,), hits=0)) == {}
