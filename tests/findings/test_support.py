from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from packaging.version import Version

from compat.findings.support import Answered, Statement, infer, load_support, schema, support
from compat.runs.decode import DamagedError
from compat.runs.model import Cell, Outcome
from compat.runs.store import load, write_json
from compat.topics.gates.records import Capability
from compat.topics.matrix import Matrix
from tests.conftest import RECORDED, make_build, make_cell, make_run


def statements(**seen: Any) -> list[Statement]:
    return infer(
        [
            Answered(version=Version(version), there=bool(what), signature=str(what or ""))
            for version, what in seen.items()
        ]
    )


@pytest.mark.parametrize(
    ("seen", "added", "removed"),
    [
        ({"2.10.0": "f()"}, ["≤2.10.0"], [None]),
        ({"2.11.0": "", "2.12.0": "f()"}, ["2.12.0"], [None]),
        ({"2.11.0": "", "2.12.1": "f()"}, ["≤2.12.1"], [None]),
        ({"2.12.0": "", "2.12.1": "f()"}, ["2.12.1"], [None]),
        ({"2.13.0.dev20260410": "", "2.13.0.dev20260411": "f()"}, ["2.13.0.dev20260411"], [None]),
        ({"2.13.0.dev20260410": "", "2.13.0.dev20260412": "f()"}, ["≤2.13.0.dev20260412"], [None]),
        ({"2.13.0.dev20260430": "", "2.13.0.dev20260501": "f()"}, ["2.13.0.dev20260501"], [None]),
        ({"2.13.0.dev20260410": "", "2.13.0": "f()"}, ["≤2.13.0"], [None]),
        ({"2.10.0": "f()", "2.11.0": ""}, ["≤2.10.0"], ["2.11.0"]),
        (
            {"2.10.0": "f()", "2.11.0": "", "2.13.0": "f()"},
            ["≤2.13.0", "≤2.10.0"],
            [None, "2.11.0"],
        ),
        ({"2.10.0": "", "2.11.0": ""}, [False], [None]),
        ({}, [None], [None]),
    ],
)
def test_since_when_and_until_when(
    seen: dict[str, str], added: Sequence[Any], removed: Sequence[Any]
) -> None:
    found = statements(**seen)
    assert [each.version_added for each in found] == added
    assert [each.version_removed for each in found] == removed


def test_a_range_says_between_what() -> None:
    (statement,) = statements(**{"2.11.0": "", "2.12.1": "f()"})
    assert statement.notes == ("2.11.0 does not have it; nothing between it and 2.12.1 was asked",)


def test_a_signature_that_changes() -> None:
    (statement,) = statements(**{"2.11.0": "f()", "2.12.0": "f(a)", "2.13.1": "f(a, b)"})
    assert statement.signature_changed == ("2.12.0", "≤2.13.1")


def gate(build: str, capability: bool | None) -> Cell:
    record = None
    if capability is not None:
        record = Capability(gate=False, capability=capability, floor=None, source="")
    outcome = Outcome.CRASH if capability is None else Outcome.PASS
    return make_cell(build, "gates.capability", outcome, params={"feature": "aot"}, record=record)


def test_what_is_not_known_is_not_taken_for_an_answer() -> None:
    cells = [gate("2.11.0", False), gate("2.12.0", None), gate("2.13.0", True)]
    run = make_run([make_build(cell.build.name) for cell in cells], cells)
    assert support(Matrix(run))["features"]["aot"]["cpu"][0]["version_added"] == "≤2.13.0"
    unknown = replace(run, cells=(gate("2.12.0", None),))
    assert support(Matrix(unknown))["features"]["aot"] == {"cpu": [{"version_added": None}]}


def test_what_was_really_seen() -> None:
    run = load(RECORDED)
    data = support(Matrix(run))
    jsonschema.validate(json.loads(json.dumps(data)), schema())
    features = {name: each["cpu"][0]["version_added"] for name, each in data["features"].items()}
    assert features == {
        "donate_graph_module": "≤2.12.1",
        "fake_mode": "2.13.0",
        "aot": "≤2.10.0",
        "tuple_return": "≤2.12.1",
    }
    split = data["names"]["torch.fx.passes.split_module:split_module"]["cpu"]
    assert split[0]["signature_changed"] == ["≤2.12.1"]


def test_it_comes_back_from_the_disk_as_it_was_said(tmp_path: Path) -> None:
    path = tmp_path / "support.json"
    write_json(path, support(Matrix(load(RECORDED))))
    found = load_support(path)
    assert found.features["donate_graph_module"]["cpu"][0].version_added == "≤2.12.1"
    assert found.builds["cpu"] == ("2.10.0", "2.11.0", "2.12.1", "2.13.0")


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"schema_version": 9}, "expected schema version 1, not 9"),
        ({"features": []}, "Expected `object`"),
        ({"names": {"f": {"cpu": [{"version_added": 2}]}}}, "version_added"),
        ({"run": None}, "Expected `str`"),
    ],
)
def test_what_is_none_is_refused_in_one_line(
    changed: dict[str, Any], said: str, tmp_path: Path
) -> None:
    path = tmp_path / "support.json"
    write_json(path, {**support(Matrix(load(RECORDED))), **changed})
    with pytest.raises(DamagedError, match=said) as caught:
        load_support(path)
    assert str(path) in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1
