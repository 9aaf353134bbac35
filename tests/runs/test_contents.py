"""What a stream holds, whatever somebody has done to it: a damaged line costs itself."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from compat.runs.contents import Contents, read_contents
from compat.runs.ids import BuildId, CheckId
from compat.runs.model import Outcome, Status, to_json
from compat.runs.stream import Stream
from tests.conftest import ENVIRONMENT, SOURCE, make_build

KEY = {
    "environment": "e1",
    "plan": "p1",
    "probes": {"a.b": "s1"},
    "depth": "full",
    "select": [],
    "others": {},
}
LINES: Mapping[str, Mapping[str, Any]] = {
    "build": to_json(make_build("2.13.0")),
    "key": KEY,
    "environment": ENVIRONMENT,
    "source": to_json(SOURCE),
    "plan": {"probe": "a.b", "params": {"x": "1"}, "description": "Asks.", "node": "test_a.py::b"},
    "cell": {
        "probe": "a.b",
        "params": {"x": "1"},
        "outcome": "pass",
        "reason": "",
        "signature": "",
        "message": "",
        "duration_s": 1.0,
        "compile_s": 0.5,
        "record": {"Copies": {"copies": 1}},
        "first": {"outcome": "crash", "reason": "SIGSEGV", "signature": "", "message": ""},
        "seen_in": SOURCE.id,
    },
    "phase": {"name": "import", "seconds": 1.5},
    "end": {"status": "ok", "reason": "", "seconds": {"import": 1.5}},
}
CHECK = CheckId("a.b[1]")


def read(tmp_path: Path, *lines: bytes | str) -> Contents:
    stream = Stream(tmp_path / "stream.jsonl")
    data = [line.encode() if isinstance(line, str) else line for line in lines]
    stream.path.write_bytes(b"".join(data))
    return read_contents(stream)


def line(kind: str, **changes: Any) -> str:
    return json.dumps({"kind": kind, **LINES[kind], **changes}) + "\n"


def test_every_kind_of_line(tmp_path: Path) -> None:
    seen = read(tmp_path, *map(line, LINES))
    assert seen.damaged == []
    assert seen.build == make_build("2.13.0")
    assert seen.build is not None
    assert type(seen.build.id) is BuildId
    assert seen.key is not None
    assert seen.key.probes == {"a.b": "s1"}
    assert seen.environment is not None
    assert seen.environment.device.name == "AVX2"
    assert seen.sources == [SOURCE]
    assert seen.plans[CHECK].node == "test_a.py::b"
    cell = seen.cells[CHECK]
    assert (cell.outcome, cell.record, cell.flaky) == (
        Outcome.PASS,
        {"Copies": {"copies": 1}},
        True,
    )
    assert [(each.name, each.seconds) for each in seen.phases] == [("import", 1.5)]
    assert seen.end is not None
    assert seen.end.status is Status.OK


WHOLE = [line(kind) for kind in LINES]


@pytest.mark.parametrize("number", range(1, len(WHOLE) + 1))
@pytest.mark.parametrize("damage", ["{", "\x00", '"text"', "[]", "null", '{"kind": "cell"}', ""])
def test_a_damaged_line_is_named_and_costs_nothing_else(
    number: int, damage: str, tmp_path: Path
) -> None:
    lines = [*WHOLE[: number - 1], damage + "\n", *WHOLE[number - 1 :]]
    seen = read(tmp_path, *lines)
    assert [each.partition(":")[0] for each in seen.damaged] == [f"line {number}"]
    assert all("\n" not in each for each in seen.damaged)
    whole = read(tmp_path, *WHOLE)
    assert vars(seen) | {"damaged": []} == vars(whole)


@pytest.mark.parametrize("cut", [1, 20, -2])
def test_a_last_line_that_was_cut_short_is_passed_over(cut: int, tmp_path: Path) -> None:
    """Somebody may still be writing it: it is no damage."""
    seen = read(tmp_path, *WHOLE[:-1], WHOLE[-1][:cut])
    assert seen.end is None
    assert seen.damaged == []
    assert list(seen.cells) == [CHECK]


def test_a_line_in_no_encoding(tmp_path: Path) -> None:
    seen = read(tmp_path, WHOLE[0], b'{"kind": "phase", "name": "\xff", "seconds": 1}\n', WHOLE[-1])
    assert [each.partition(":")[0] for each in seen.damaged] == ["line 2"]
    assert seen.end is not None


def test_a_line_of_another_kind(tmp_path: Path) -> None:
    seen = read(tmp_path, WHOLE[0], '{"kind": "weather", "sun": true}\n', '{"sun": true}\n')
    assert [each.partition(": expected a kind")[0] for each in seen.damaged] == ["line 2", "line 3"]
    assert "'weather'" in seen.damaged[0]
    assert all(f" {kind}" in seen.damaged[0] for kind in LINES)
    assert seen.build is not None


def test_a_newer_line_may_say_more(tmp_path: Path) -> None:
    seen = read(tmp_path, *(line(kind, newer=[1, {"x": None}]) for kind in LINES))
    assert vars(seen) == vars(read(tmp_path, *WHOLE))


def test_a_record_of_anybody_is_kept_as_it_is(tmp_path: Path) -> None:
    """What it means, and whether it fits, is the matrix's question."""
    foreign = {"Weather": {"sun": [1.5, None, "x"], "more": {"deep": {}}}}
    seen = read(tmp_path, line("cell", record=foreign))
    assert seen.cells[CHECK].record == foreign


FIELDS = [(kind, name) for kind, data in LINES.items() for name in data]


@pytest.mark.parametrize(("kind", "name"), FIELDS)
@pytest.mark.parametrize("wrong", [7, True, "x y", [None], {"x": [1]}], ids=repr)
def test_a_field_of_another_type_is_named(kind: str, name: str, wrong: Any, tmp_path: Path) -> None:
    fits = type(wrong) is type(LINES[kind][name]) or (name, type(wrong)) in {
        ("duration_s", int),
        ("compile_s", int),
        ("seconds", int),
        ("record", type(None)),
    }
    seen = read(tmp_path, line(kind, **{name: wrong}), line("phase"))
    assert seen.phases[-1].name == "import"
    if not fits:
        assert len(seen.damaged) == 1
        assert seen.damaged[0].startswith("line 1: ")
        assert name in seen.damaged[0] or "expected a" in seen.damaged[0]
