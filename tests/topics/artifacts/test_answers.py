"""What the records of artifacts say, and what it means when that changes."""

from __future__ import annotations

from typing import Any

import pytest

from compat.runs.answers import Change, Value, relate
from compat.topics.artifacts.answers import ANSWERS
from compat.topics.artifacts.records import (
    RECORDS,
    Across,
    Damaged,
    Kept,
    Load,
    Placed,
    Reloaded,
    SavedByTwo,
)


def reloaded(**changes: Any) -> Reloaded:
    values: dict[str, Any] = {"load": Load.RIGHT, "bitwise": True, "handles": 4, "max_abs": 0.0}
    return Reloaded(**{**values, **changes})


def changes(before: Any, after: Any) -> dict[str, Change]:
    """How each answer of a record changes, but for those that stay the same."""
    said = {each.name: each for each in ANSWERS[type(after)](after)}
    related = {
        each.name: relate(each.scale, each.value, said[each.name].value)
        for each in ANSWERS[type(before)](before)
    }
    return {name: change for name, change in related.items() if change is not Change.SAME}


def values(record: Any) -> dict[str, Value | None]:
    return {each.name: each.value for each in ANSWERS[type(record)](record)}


def test_every_type_of_record_has_answers() -> None:
    assert set(ANSWERS) == set(RECORDS.values())


def test_what_a_reloaded_artifact_says() -> None:
    assert values(reloaded()) == {
        "right": True,
        "load": "right",
        "refusal": "none",
        "contract": "as eager",
        "compilations": 0,
        "bitwise": True,
        "handles": 4,
    }


def test_bits_of_what_was_refused_are_unknown() -> None:
    refused = reloaded(load=Load.REFUSED, raised="RuntimeError", said="no", bitwise=False)
    assert values(refused)["bitwise"] is None
    assert values(refused)["refusal"] == "RuntimeError: no"


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        (reloaded(), reloaded(bitwise=False), {"bitwise": Change.LOST}),
        (reloaded(), reloaded(handles=3), {"handles": Change.WORSE}),
        (reloaded(), reloaded(compilations=1), {"compilations": Change.WORSE}),
        (
            reloaded(),
            reloaded(load=Load.WRONG, contract=("strides",)),
            {
                "right": Change.LOST,
                "load": Change.CHANGED,
                "contract": Change.CHANGED,
                "bitwise": Change.UNKNOWN,
            },
        ),
        (
            Placed(load=Load.REFUSED, raised="FXGraphCacheMiss"),
            Placed(load=Load.RIGHT),
            {"right": Change.GAINED, "load": Change.CHANGED, "refusal": Change.CHANGED},
        ),
        (
            Damaged(load=Load.UNNOTICED, max_abs=0.0),
            Damaged(load=Load.WRONG, max_abs=1.0),
            {"load": Change.CHANGED},
        ),
        (
            Damaged(load=Load.REFUSED, raised="RuntimeError", said="corrupted"),
            Damaged(load=Load.UNNOTICED, max_abs=0.0),
            {"load": Change.CHANGED, "refusal": Change.CHANGED},
        ),
        (
            Across(load=Load.REFUSED, raised="AssertionError", said="torch_key mismatch"),
            Across(load=Load.CRASHED, exit_code=-6),
            {"safe": Change.LOST, "load": Change.CHANGED, "refusal": Change.CHANGED},
        ),
        (
            Across(load=Load.REFUSED_UNCLEARLY, raised="AssertionError"),
            Across(load=Load.REFUSED, raised="AssertionError", said="torch_key mismatch"),
            {"load": Change.CHANGED, "refusal": Change.CHANGED},
        ),
        (
            SavedByTwo(load=Load.RIGHT, savers_failed=0),
            SavedByTwo(load=Load.WRONG, savers_failed=1),
            {"safe": Change.LOST, "load": Change.CHANGED, "savers_failed": Change.CHANGED},
        ),
        (Kept(artifacts=4), Kept(artifacts=3), {"artifacts": Change.WORSE}),
    ],
)
def test_a_change_is_told(before: Any, after: Any, told: dict[str, Change]) -> None:
    assert changes(before, after) == told
