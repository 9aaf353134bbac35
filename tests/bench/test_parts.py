"""Where the time of a run goes, of a run made by hand."""

from __future__ import annotations

from pathlib import Path

from compat.bench.parts import parts, parts_text
from compat.runs.model import to_json
from compat.runs.store import RunFolder
from tests.conftest import SOURCE, make_build


def run(parent: Path) -> RunFolder:
    """Two cells that ran side by side for eleven of twelve seconds."""
    folder = RunFolder.create(parent, SOURCE.harness, SOURCE.host)
    stream = folder.stream(make_build("2.13.0").id)
    stream.append("build", to_json(make_build("2.13.0")))
    stream.append("phase", {"name": "import", "seconds": 8.0}, {"name": "probe", "seconds": 6.0})
    cell = {"params": {}, "outcome": "pass", "duration_s": 5.5}
    spent = {"dynamo": 1.0, "aot_autograd": 0.5, "inductor": 1.0, "compiler": 2.0, "garbage": 0.1}
    stream.append(
        "cell",
        {**cell, "probe": "a.compiles", "spent": spent},
        # One that a worker of before wrote.
        {**cell, "probe": "a.other"},
    )
    return folder


def test_the_parts_are_the_whole(tmp_path: Path) -> None:
    found = parts(run(tmp_path), jobs=2)
    garbage = found.pop("of the cells' time: collecting garbage")
    assert garbage == 0.1
    assert sum(found.values()) == 8.0 + 2 * 6.0
    assert found["cells: g++, linking included"] == 2.0
    assert found["between cells: starting and ending their processes"] == 1.0
    rest = "cells: all else (pytest, running, comparing, processes of their own)"
    assert found[rest] == 11.0 - 4.5


def test_the_largest_part_comes_first_with_its_share(tmp_path: Path) -> None:
    lines = parts_text(parts(run(tmp_path), jobs=2)).splitlines()
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]
    assert cells[0] == ["import", "8", "40%"]
    assert cells[-1] == ["of the cells' time: collecting garbage", "0.1", ""]
