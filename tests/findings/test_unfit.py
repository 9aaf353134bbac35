"""A record that does not fit is shown as what it is, and never costs the report.

By every type of record that a probe fills: each field taken away, of another type, and one that is
of a newer version.
"""

from __future__ import annotations

import dataclasses
import re
import types
import typing
from collections.abc import Mapping
from dataclasses import replace
from enum import Enum
from typing import Any

import pytest

from compat.findings.answers import answers_of
from compat.findings.assess import Color
from compat.findings.expectations import NONE
from compat.findings.results import Results, results_of
from compat.report.markdown import render
from compat.runs.answers import Change
from compat.runs.history import EMPTY
from compat.runs.model import Cell, Outcome
from compat.topics.donation.records import Copies
from compat.topics.matrix import Matrix
from compat.topics.records import RECORDS, encode
from tests.conftest import make_build, make_cell, make_run
from tests.findings.making import copies, report, run_of

BUILDS = [make_build("2.15.0"), make_build("2.16.0", channel="test")]


def example(kind: Any, text: str = "x", key: str | None = None) -> Any:
    """Some value of a type that a record may have; ``text`` is each text in it.

    Args:
        key: The key of each mapping, where it is not ``text`` as well: some records hold their
            keys to names.
    """
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin in (typing.Union, types.UnionType):
        return example(arguments[0], text, key)
    if origin is tuple:
        kinds = arguments[:1] if Ellipsis in arguments else arguments
        return tuple(example(each, text, key) for each in kinds)
    if origin is not None and issubclass(origin, Mapping):
        name = text if key is None else key
        return {example(arguments[0], name): example(arguments[1], text, key)}
    if dataclasses.is_dataclass(kind) and isinstance(kind, type):
        hints = typing.get_type_hints(kind)
        named = "x.y" if hasattr(kind, "__post_init__") else key
        return kind(
            **{
                each.name: example(hints[each.name], text, named)
                for each in dataclasses.fields(kind)
            }
        )
    if issubclass(kind, Enum):
        return next(iter(kind))
    return {bool: True, int: 1, float: 0.5, str: text}[kind]


# What the probes of the topics are asked for, as far as a finding looks at it.
PARAMS = {
    "model": "mlp",
    "dtype": "float32",
    "batch": "static",
    "path": "aot",
    "feature": "aot",
    "way": "argument",
    "strategy": "tls",
    "member": "guards",
    "name": "torch.x:f",
    "kind": "aot",
    "saved_by": "2.15.0",
    "use": "call",
    "output": "tuple",
    "flag": "donated",
    "nodes": "100",
    "place": "elsewhere",
    "damage": "cut",
}


def fields(probe: str) -> dict[str, Any]:
    (found,) = encode(probe, example(RECORDS[probe])).values()
    return dict(found)


def results(probe: str, record: Any, outcome: Outcome = Outcome.PASS) -> Results:
    """A release that is as it should be, and a candidate with such a record."""
    kind = RECORDS[probe].__name__
    device = "cuda" if probe.startswith("cuda.") else "cpu"
    cells = [make_cell(build.id.name, probe, params=PARAMS, device=device) for build in BUILDS]
    whole = replace(cells[0], record={kind: fields(probe)})
    damaged = replace(cells[1], outcome=outcome, record=record)
    builds = [
        replace(build, id=cell.build, device=replace(build.device, kind=device))
        for build, cell in zip(BUILDS, cells, strict=True)
    ]
    return results_of(make_run(builds, [whole, damaged]), EMPTY, NONE)


def shown_as_unfit(found: Results, cell: Cell, why: str) -> None:
    assert list(found.findings.unfit) == [cell.id]
    assert why in found.findings.unfit[cell.id]
    assert found.findings.unexpected == (cell.id,)
    assert found.assessment.color is Color.RED
    assert found.assessment.status == 1
    items = re.split(r"\n(?=- )", render(found))
    told = [item for item in items if "its record cannot be read" in item]
    assert [f"`{cell.id}`" in item for item in told] == [True]
    # It is known by how it ended.
    compared = found.comparisons["stable"]
    assert compared.totals[Change.SAME] >= 1
    assert not compared.alarms


def test_a_record_that_fits_is_no_trouble() -> None:
    for probe, kind in RECORDS.items():
        found = results(probe, {kind.__name__: fields(probe)})
        assert found.findings.unfit == {}, probe
        assert render(found)


FIELDS = [(probe, name) for probe in RECORDS for name in fields(probe)]


@pytest.mark.parametrize(("probe", "name"), FIELDS, ids="{0[0]}-{0[1]}".format)
def test_a_field_is_missing(probe: str, name: str) -> None:
    kind: Any = RECORDS[probe]
    left = {key: value for key, value in fields(probe).items() if key != name}
    found = results(probe, {kind.__name__: left})
    default = kind.__dataclass_fields__[name].default is not dataclasses.MISSING
    if default:
        assert found.findings.unfit == {}
        assert render(found)
    else:
        shown_as_unfit(found, found.run.cells[1], f"missing required field `{name}`")


def test_a_field_is_of_another_type() -> None:
    for probe, name in FIELDS:
        found = results(probe, {RECORDS[probe].__name__: {**fields(probe), name: {"odd": [1]}}})
        shown_as_unfit(found, found.run.cells[1], f"at `$.{name}")


def test_a_newer_field() -> None:
    for probe, kind in RECORDS.items():
        found = results(probe, {kind.__name__: {**fields(probe), "newer": 1}})
        shown_as_unfit(found, found.run.cells[1], f"{kind.__name__} has no newer")


def test_a_record_of_another_type() -> None:
    for probe, kind in RECORDS.items():
        found = results(probe, {"Weather": {"sun": True}})
        shown_as_unfit(found, found.run.cells[1], f"expected {kind.__name__}, not Weather")


def test_two_records() -> None:
    for probe, kind in RECORDS.items():
        found = results(probe, {kind.__name__: fields(probe), "Weather": {}})
        shown_as_unfit(found, found.run.cells[1], f"expected {kind.__name__}, not ")


def test_none_although_it_passed() -> None:
    for probe in RECORDS:
        found = results(probe, None)
        shown_as_unfit(found, found.run.cells[1], "it passed and recorded nothing")


@pytest.mark.parametrize("outcome", [each for each in Outcome if each is not Outcome.PASS])
def test_none_where_it_did_not_pass_is_no_trouble(outcome: Outcome) -> None:
    for probe in RECORDS:
        found = results(probe, None, outcome)
        assert found.findings.unfit == {}
        assert render(found)


def test_a_probe_that_this_version_does_not_have() -> None:
    cell = replace(make_cell("2.16.0", "weather.sun"), record={"Sun": {"shines": True}})
    found = report(run_of(20, make_cell("2.15.0", "a.b"), cell))
    assert found.findings.unfit == {cell.id: "this version of the project has no probe weather.sun"}
    assert "weather.sun" in render(found)


def test_what_cannot_be_read_is_unknown_and_not_lost() -> None:
    unfit = replace(copies("2.13.0", 1), record={"Copies": {"copies": "four"}})
    found = report(run_of(20, copies("2.13.0", 1)), run_of(21, unfit))
    comparison = found.comparisons["previous"]
    assert comparison.totals[Change.UNKNOWN] == 1
    assert not comparison.alarms
    # It is known again as soon as it can be read, and against what was known last.
    nights = [run_of(20, copies("2.13.0", 1)), run_of(21, unfit), run_of(22, copies("2.13.0", 4))]
    (group,) = report(*nights).comparisons["previous"].alarms
    assert (group.before, group.after) == (1, 4)


def test_an_unfit_record_is_counted_as_unknown() -> None:
    two = {**encode("donation.copies", Copies(copies=1)), "Weather": {}}
    unfit = replace(copies("2.13.0", 1), record=two)
    found = report(run_of(20, unfit, make_cell("2.13.0", "a.b")))
    assert found.assessment.unknown == 1


def test_every_type_can_be_made() -> None:
    for kind in RECORDS.values():
        assert isinstance(example(kind), kind)


@pytest.mark.parametrize(
    ("probe", "field"),
    [
        ("subject.compiled", "passed"),
        ("subject.compiled", "gates"),
        ("surface.used", "names"),
        ("surface.config", "keys"),
        ("surface.operators", "operators"),
    ],
)
def test_a_key_that_is_no_name_is_a_record_that_cannot_be_read(probe: str, field: str) -> None:
    (value,) = fields(probe)[field].values()
    raw = {RECORDS[probe].__name__: fields(probe) | {field: {"<img> @you": value}}}
    cell = make_cell("2.15.0", probe, params=PARAMS, raw=raw)
    matrix = Matrix(make_run(BUILDS, [cell]))
    assert "expected names, joined by dots" in matrix.unfit[cell.id]
    assert not [name for name in answers_of(matrix, BUILDS[0]) if name.check == cell.check][1:]
