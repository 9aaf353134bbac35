"""A file that shows a failure, run where it should show it and where it should not."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from compat import cli
from compat.commands import matrix, repro
from compat.commands.alone import Ended, Limits, run_alone
from compat.errors import UsageError
from compat.findings.results import Results
from compat.report.places import LATEST_RUN
from compat.running.limits import DEFAULT_MEMORY_GB, DEFAULT_TIMEOUT_S
from compat.runs.model import Build, Cell, Outcome, Run, Wheel
from compat.runs.store import RunFolder, save
from tests.conftest import make_build, make_cell, make_run
from tests.fake_build import fake_python
from tests.report.made import results

GRAPHS = (
    "rows-interleaved",
    "scattered-then-zeroed",
    "mean-and-variance-of-nothing",
    "sum-of-one-constant",
    "smallest-byte",
    "repeated-then-flipped",
    "rows-of-a-convolution",
)
WHEEL = Wheel(filename="torch.whl", sha256="")
LIMITS = Limits(timeout_s=DEFAULT_TIMEOUT_S, memory_gb=DEFAULT_MEMORY_GB)
AS_THEY_SHOULD = (
    Ended(as_expected=True, text="A: as it should"),
    Ended(as_expected=True, text="B: as it should"),
)


def asked(build: str, graph: str, outcome: Outcome) -> Cell:
    params = {"graph": graph, "path": "standalone"}
    signature = f"E: {graph}" if outcome.bad else ""
    return make_cell(build, "corpus.right", outcome, params=params, signature=signature)


def seen(*builds: Build, graphs: tuple[str, ...] = GRAPHS[:1]) -> Run:
    """Every graph is wrong on the first build alone."""
    cells = [
        asked(build.id.name_and_python, graph, Outcome.PASS if number else Outcome.FAIL)
        for number, build in enumerate(builds)
        for graph in graphs
    ]
    return make_run(list(builds), cells)


@pytest.mark.parametrize(
    ("ended", "status"),
    [
        (AS_THEY_SHOULD, 0),
        ((replace(AS_THEY_SHOULD[0], as_expected=False), AS_THEY_SHOULD[1]), 1),
        ((AS_THEY_SHOULD[0], replace(AS_THEY_SHOULD[1], as_expected=False)), 1),
    ],
)
def test_a_line_a_build_and_a_status(
    ended: tuple[Ended, ...],
    status: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    run = seen(make_build("2.11.0", wheel=WHEEL), make_build("2.13.0", wheel=WHEEL))
    save(run, Path("reports") / LATEST_RUN)
    given: list[Any] = []
    monkeypatch.setattr(repro, "run_alone", lambda *all: given.append(all) or [*ended])
    assert cli.main(["repro", run.cells[0].id, "--run"]) == status
    ((file, cell, expected, _),) = given
    assert expected == {"==2.11.0": 1, "==2.13.0": 0}
    assert cell == run.cells[0]
    assert "rows_interleaved" in file.read_text()
    assert capsys.readouterr().out == f"{file}:\n  A: as it should\n  B: as it should\n"


def test_without_a_build_that_passes_nothing_is_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    mine = make_build("local-mine", channel="local", version="2.13.0+gitabc")
    run = seen(make_build("2.11.0"), mine, make_build("2.15.0-py3.10"))
    save(run, Path("reports") / LATEST_RUN)
    monkeypatch.setattr(repro, "run_alone", lambda *_: [AS_THEY_SHOULD[0]])
    # Nobody else has the one, and the other is of another Python.
    assert cli.main(["repro", run.cells[0].id, "--run"]) == 1
    assert "no build of the latest run is known" in capsys.readouterr().out


@pytest.mark.parametrize(
    "build",
    [
        make_build("2.13.0", wheel=WHEEL),
        # Both were there already, and hold just what was released.
        make_build("2.13.0", wheel=None),
        make_build("2.13.0", channel="local", requested="python:/here/bin/python"),
    ],
)
def test_a_release_is_named_however_it_was_had(
    build: Build,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    run = seen(make_build("2.11.0"), build)
    save(run, Path("reports") / LATEST_RUN)
    assert cli.main(["repro", run.cells[0].id]) == 0
    said = capsys.readouterr().out
    assert " --device cpu --builds ==2.11.0 ==2.13.0 -- python " in said


def run_matrix(
    found: Results,
    monkeypatch: pytest.MonkeyPatch,
    run_it: Any,
) -> int:
    monkeypatch.setattr(matrix, "probe_as_parsed", lambda _: RunFolder(Path()))
    monkeypatch.setattr(matrix, "merge", lambda _: found.run)
    monkeypatch.setattr(matrix, "reported", lambda _: found)
    monkeypatch.setattr(matrix, "run_alone", run_it)
    return matrix.matrix(argparse.Namespace(timeout=1, memory=1))


def test_the_matrix_runs_the_first_files_of_what_is_new(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    here = make_build("local-mine", channel="local", requested="python:/here/bin/python")
    found = results(seen(here, make_build("2.13.0", wheel=WHEEL), graphs=GRAPHS))
    given = []

    def run_it(file: Path, cell: Cell, expected: Mapping[str, int], _: Limits) -> list[Ended]:
        given.append((file.name, dict(expected), cell))
        if len(given) == 2:
            raise UsageError("another run is going on")
        return [Ended(as_expected=False, text="it says so")]

    assert run_matrix(found, monkeypatch, run_it) == found.assessment.status == 1
    assert len(given) == 5
    assert all(ends == {here.requested: 1, "==2.13.0": 0} for _, ends, _ in given)
    lines = capsys.readouterr().out.splitlines()
    assert lines[:2] == [f"reports/repro/{given[0][0]}:", "  it says so"]
    assert lines[3] == "  not run: another run is going on"
    assert lines[-1] == "reports/repro has files of 2 more new failures: not run"


def test_the_matrix_runs_nothing_that_is_expected(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    found = results(seen(make_build("2.11.0"), make_build("2.13.0")))
    known = replace(found, findings=replace(found.findings, unexpected=()))

    def run_it(*_: object) -> list[Ended]:
        pytest.fail("expected that nothing is run")

    run_matrix(known, monkeypatch, run_it)
    assert capsys.readouterr().out == ""


SCRIPT = """
import os, signal, sys
from pathlib import Path

name = Path(sys.prefix).name
if name == "raises":
    raise RuntimeError("at once")
if name == "dies":
    os.kill(os.getpid(), signal.SIGKILL)
sys.exit({"broken": 1, "right": 0, "unsure": 125, "odd": 2}[name])
"""
SAID = {
    "broken": "exits with 1, broken",
    "right": "exits with 0, right",
    "unsure": "exits with 125, it cannot tell",
    "odd": "fail: ended with status 2",
    "raises": "error: at once",
    "dies": "crash: killed by SIGKILL",
}


@pytest.mark.slow
def test_what_a_file_ends_with(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "shows.py").write_text(SCRIPT)
    specs = {f"python:{fake_python(tmp_path / name)}": name for name in SAID}
    for expected, good in ((1, "broken"), (0, "right")):
        means = {1: "broken", 0: "right"}[expected]
        ended = run_alone(
            Path("shows.py"),
            make_cell("2.16.0", "corpus.right"),
            dict.fromkeys(specs, expected),
            LIMITS,
        )
        for (spec, name), each in zip(specs.items(), ended, strict=True):
            more = ": as it should" if name == good else f": not with {expected}, {means}"
            said = SAID[name] + (more if "exits with" in SAID[name] else "")
            assert each == Ended(as_expected=name == good, text=f"{spec}: {said}")
    # No report is made of it.
    assert not list((tmp_path / ".compat").glob("runs/*"))
    assert not (tmp_path / "reports").exists()
