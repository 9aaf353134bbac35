from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from packaging.specifiers import SpecifierSet

from compat.findings.expectations import Control, Expectations, Scope
from compat.report.places import HISTORY
from compat.report.write import write_reports
from compat.runs.history import EMPTY, load_history
from compat.runs.ids import BUILTIN
from compat.runs.model import Outcome
from tests.conftest import make_build, make_cell, make_run
from tests.report.made import results

SCOPE = Scope(probe="a.b", params={}, builds=SpecifierSet(), subject=BUILTIN)
FAILS = Control(scope=SCOPE, outcome=Outcome.FAIL, answers={}, reason="It has to fail.")


def test_a_run_that_proves_nothing_does_not_enter_the_history(tmp_path: Path) -> None:
    run = make_run([make_build("2.13.0")], [make_cell("2.13.0", "a.b")])
    write_reports(tmp_path, results(run, expectations=Expectations(controls=(FAILS,))), "README.md")
    assert "proves nothing" in (tmp_path / "badge.svg").read_text()
    assert load_history(tmp_path / HISTORY) == EMPTY
    healthy = results(
        run, expectations=Expectations(controls=(replace(FAILS, outcome=Outcome.PASS),))
    )
    write_reports(tmp_path, healthy, "README.md")
    assert load_history(tmp_path / HISTORY) == healthy.history
