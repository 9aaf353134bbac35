from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from compat.findings.derive import derive
from compat.report.write import HISTORY, write_reports
from compat.runs.history import EMPTY, append, load_history
from tests.conftest import make_build, make_cell, make_run


def test_an_unhealthy_run_does_not_enter_the_history(tmp_path: Path) -> None:
    run = make_run([make_build("2.13.0")], [make_cell("2.13.0", "a.b")])
    history = append(EMPTY, run)
    healthy = derive(run)
    unhealthy = replace(healthy, failed_controls={"a.b@2.13.0-cpu": "It has to fail."})
    write_reports(tmp_path, run, unhealthy, {}, history, "README.md")
    assert "unhealthy" in (tmp_path / "badge.svg").read_text()
    assert load_history(tmp_path / HISTORY) == EMPTY
    write_reports(tmp_path, run, healthy, {}, history, "README.md")
    assert load_history(tmp_path / HISTORY) == history
