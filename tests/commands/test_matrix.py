"""``compat matrix``, with a torch that does nothing."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from compat.runs.model import to_json
from compat.runs.store import RunFolder, write_json
from tests.conftest import SOURCE, make_build
from tests.fake_build import fake_python
from tests.sabotaged_build import Place

pytestmark = pytest.mark.slow


def test_it_reports_the_run_that_it_made_also_after_the_clock_went_back(tmp_path: Path) -> None:
    place = Place(tmp_path)
    ahead = "2999-01-01T000000.000Z"
    folder = RunFolder(tmp_path / ".compat" / "runs" / ahead)
    write_json(folder.path / "header.json", to_json(replace(SOURCE, id=ahead)))
    build = make_build("2.12.1")
    folder.stream(build.id).append("build", to_json(build))
    folder.stream(build.id).append("end", {"status": "ok", "reason": "", "seconds": {}})
    python = fake_python(tmp_path / "fake")
    options = ("--device", "cpu", "--probes", "surface.name")
    made = place.compat("matrix", "--builds", f"python:{python}", *options)
    assert made.stderr == ""
    run = json.loads((tmp_path / "reports/latest/run.json").read_text())
    assert [each["id"] for each in run["builds"]] == ["local-fake-cpu"]
    assert run["cells"]
