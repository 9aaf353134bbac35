from __future__ import annotations

import io
from pathlib import Path

from rich.console import Console

from compat.report.timing import print_timing, timings
from compat.runs.model import to_json
from compat.runs.store import RunFolder
from tests.conftest import SOURCE, make_build


def run(parent: Path) -> RunFolder:
    """One cell run, one known already, and one known that was not asked for."""
    folder = RunFolder.create(parent, SOURCE.harness, SOURCE.host)
    stream = folder.stream(make_build("2.13.0").id)
    stream.append("build", to_json(make_build("2.13.0")))
    known = {"params": {}, "outcome": "pass", "duration_s": 9.0, "seen_in": "earlier"}
    stream.append("cell", {**known, "probe": "a.known"}, {**known, "probe": "a.other"})
    plan = {"params": {}, "description": ""}
    stream.append("plan", {**plan, "probe": "a.known"}, {**plan, "probe": "a.new"})
    stream.append("phase", {"name": "import", "seconds": 8.0}, {"name": "probe", "seconds": 3.0})
    stream.append(
        "cell",
        {"probe": "a.new", "params": {}, "outcome": "pass", "duration_s": 3.0, "compile_s": 2.0},
    )
    stream.append("end", {"status": "ok", "reason": "", "seconds": {"install": 1.0}})
    return folder


def test_what_was_run_and_what_was_known(tmp_path: Path) -> None:
    (timing,) = timings(run(tmp_path))
    assert (timing.build, timing.seen, dict(timing.reused)) == ("2.13.0", 1, {"earlier": 1})
    assert dict(timing.phases) == {"install": 1.0, "import": 8.0, "probe": 3.0}
    assert (timing.compiling, timing.running) == (2.0, 1.0)


def test_it_is_said(tmp_path: Path) -> None:
    console = Console(file=io.StringIO(), width=200)
    print_timing(run(tmp_path), console)
    said = console.file.getvalue()  # type: ignore[attr-defined]
    assert "1 cells run, 1 known already." in said
    assert "1 seen in earlier" in said
    assert "| 2.13.0  |" in said
