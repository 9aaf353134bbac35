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
from compat.runs.model import Cell, Outcome, Status
from compat.runs.store import load, write_json
from compat.topics.gates.records import Capability
from compat.topics.matrix import Matrix
from compat.topics.surface.records import Name
from tests.conftest import RECORDED, SOURCE, make_build, make_cell, make_run


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
        # Which version it went away in is not known where some were not asked.
        (
            {"2.10.0": "f()", "2.11.0": "f()", "2.12.0": "f()", "2.13.1": ""},
            ["≤2.10.0"],
            ["≤2.13.1"],
        ),
        # A patch release follows the one before it, and a series the first release of the last.
        ({"2.12.1": "", "2.12.2": "f()"}, ["2.12.2"], [None]),
        ({"2.12.0": "", "2.12.2": "f()"}, ["≤2.12.2"], [None]),
        ({"2.12.1": "", "2.13.0": "f()"}, ["2.13.0"], [None]),
        ({"2.12.0": "", "2.14.0": "f()"}, ["≤2.14.0"], [None]),
        ({"2.12.0": "", "3.13.0": "f()"}, ["≤3.13.0"], [None]),
        # Between a candidate and what it is to become there may be another one.
        ({"2.12.0": "", "2.13.0rc1": "f()"}, ["≤2.13.0rc1"], [None]),
        ({"2.13.0rc1": "", "2.13.0": "f()"}, ["≤2.13.0"], [None]),
        ({"2.13.0rc1": "", "2.13.1": "f()"}, ["≤2.13.1"], [None]),
        # The nightly of the next day, if it is one of the same series and has a day.
        ({"2.13.0.dev20260410": "", "2.14.0.dev20260411": "f()"}, ["≤2.14.0.dev20260411"], [None]),
        ({"2.13.0.dev5": "", "2.13.0.dev20260411": "f()"}, ["≤2.13.0.dev20260411"], [None]),
        ({"2.12.0": "", "2.13.0.dev20260411": "f()"}, ["≤2.13.0.dev20260411"], [None]),
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


def test_what_is_not_exact_says_why() -> None:
    seen = {"2.10.1": "f()", "2.11.1": "f(a)", "2.12.0": "f(a)", "2.13.1": "", "2.15.0": "f()"}
    assert statements(**seen) == [
        Statement(
            version_added="≤2.15.0",
            notes=("2.13.1 does not have it; nothing between it and 2.15.0 was asked",),
        ),
        Statement(
            version_added="≤2.10.1",
            version_removed="≤2.13.1",
            signature_changed=("≤2.11.1",),
            notes=(
                "2.10.1 is the oldest version that was asked",
                "2.10.1 has the parameters of before; nothing between it and 2.11.1 was asked",
                "2.12.0 still has it; nothing between it and 2.13.1 was asked",
            ),
        ),
    ]


def test_what_is_exact_needs_no_note() -> None:
    seen = {"2.10.0": "", "2.11.0": "f()", "2.12.0": "f(a)", "2.13.0": ""}
    assert statements(**seen) == [
        Statement(version_added="2.11.0", version_removed="2.13.0", signature_changed=("2.12.0",))
    ]


def test_a_signature_that_changes() -> None:
    (statement,) = statements(**{"2.11.0": "f()", "2.12.0": "f(a)", "2.13.1": "f(a, b)"})
    assert statement.signature_changed == ("2.12.0", "≤2.13.1")


def gate(build: str, capability: bool | None, **changes: Any) -> Cell:
    record = None
    if capability is not None:
        record = Capability(gate=False, capability=capability, floor=None, source="")
    outcome = Outcome.CRASH if capability is None else Outcome.PASS
    params = {"feature": "aot"}
    return make_cell(build, "gates.capability", outcome, params=params, record=record, **changes)


def test_what_is_not_known_is_not_taken_for_an_answer() -> None:
    cells = [gate("2.11.0", False), gate("2.12.0", None), gate("2.13.0", True)]
    run = make_run([make_build(cell.build.name) for cell in cells], cells)
    assert support(Matrix(run))["features"]["aot"]["cpu"][0]["version_added"] == "≤2.13.0"
    unknown = replace(run, cells=(gate("2.12.0", None),))
    assert support(Matrix(unknown))["features"]["aot"] == {"cpu": [{"version_added": None}]}


def test_a_name_of_which_nobody_can_tell_is_not_taken_for_an_answer() -> None:
    cells = [
        make_cell(
            build,
            "surface.name",
            params={"name": "torch.x:f"},
            record=Name(there=there, signature="f()" if there else "", refused=()),
        )
        for build, there in (("2.11.0", False), ("2.12.0", None), ("2.13.0", True))
    ]
    run = make_run([make_build(cell.build.name) for cell in cells], cells)
    assert support(Matrix(run))["names"] == {
        "torch.x:f": {
            "cpu": [
                {
                    "version_added": "≤2.13.0",
                    "notes": [
                        "2.11.0 does not have it; nothing between it and 2.13.0 was asked",
                    ],
                }
            ]
        }
    }


def test_each_device_has_builds_and_statements_of_its_own() -> None:
    """A build that broke, or of which nobody knows the version, says nothing."""
    seen = [("2.11.0", "cpu", False), ("2.12.0", "cpu", True), ("2.12.0", "cuda", False)]
    others = [
        make_build("2.13.0", status=Status.BROKEN),
        make_build("local-mine", channel="local", version=""),
    ]
    builds = [make_build(name, device=device) for name, device, _ in seen]
    cells = [gate(name, there, device=device) for name, device, there in seen]
    cells += [gate("2.13.0", False), gate("local-mine", False)]
    data = support(Matrix(make_run([*builds, *others], cells)))
    assert data == {
        "schema_version": 1,
        "run": SOURCE.id,
        "builds": {"cpu": ["2.11.0", "2.12.0"], "cuda": ["2.12.0"]},
        "features": {
            "aot": {"cpu": [{"version_added": "2.12.0"}], "cuda": [{"version_added": False}]}
        },
        "names": {},
    }


def test_of_two_builds_of_a_version_the_first_one_speaks_for_it() -> None:
    cells = [gate("2.12.0", True), gate("2.12.0-py3.10", False)]
    run = make_run([make_build(cell.build.name_and_python) for cell in cells], cells)
    (statement,) = support(Matrix(run))["features"]["aot"]["cpu"]
    assert statement["version_added"] == "≤2.12.0"
    # As of two cells of a build, should a probe ask more of a feature one day.
    more = replace(gate("2.12.0", False), params={"feature": "aot", "more": "1"})
    run = make_run([make_build("2.12.0")], [gate("2.12.0", True), more])
    (statement,) = support(Matrix(run))["features"]["aot"]["cpu"]
    assert "version_removed" not in statement


def test_what_no_build_of_a_device_was_asked_is_no_statement() -> None:
    builds = [make_build("2.12.0"), make_build("2.12.0", device="cuda")]
    data = support(Matrix(make_run(builds, [gate("2.12.0", True)])))
    assert list(data["features"]["aot"]) == ["cpu"]


def test_all_that_is_said_of_a_name_stands_in_the_file() -> None:
    signatures = {"2.10.0": "f()", "2.11.0": "f(a)", "2.12.0": ""}
    cells = [
        make_cell(
            build,
            "surface.name",
            params={"name": "torch.x:f"},
            record=Name(there=bool(signature), signature=signature, refused=()),
        )
        for build, signature in signatures.items()
    ]
    run = make_run(list(map(make_build, signatures)), cells)
    assert support(Matrix(run))["names"]["torch.x:f"]["cpu"] == [
        {
            "version_added": "≤2.10.0",
            "version_removed": "2.12.0",
            "signature_changed": ["2.11.0"],
            "notes": ["2.10.0 is the oldest version that was asked"],
        }
    ]


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
