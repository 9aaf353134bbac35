"""A red cell of the corpus as one file: whole, of torch alone, red where the cell is."""

from __future__ import annotations

import ast
import builtins
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from compat import cli
from compat.builds.environment import Environment
from compat.errors import USAGE
from compat.report.repro import repro_of
from compat.runs.model import Build, Cell, Run
from compat.runs.reference import load_latest
from tests.conftest import ROOT

CELL = "corpus.right[rows-interleaved-standalone]@2.11.0-cpu"


@pytest.fixture(scope="module")
def run() -> Run:
    return load_latest(ROOT / "reports" / "latest" / "run.json")


def build_of(run: Run, cell: Cell) -> Build:
    (build,) = (each for each in run.builds if each.id == cell.build)
    return build


def names_bound(module: ast.Module) -> set[str]:
    """All that a file binds anywhere: imports, functions, arguments, variables."""
    bound = set()
    for node in ast.walk(module):
        match node:
            case ast.alias(name=name, asname=asname):
                bound.add(asname or name.partition(".")[0])
            case ast.FunctionDef(name=name) | ast.ClassDef(name=name) | ast.arg(arg=name):
                bound.add(name)
            case ast.Name(id=name, ctx=ast.Store()):
                bound.add(name)
            case ast.ExceptHandler(name=str(name)):
                bound.add(name)
    return bound


def test_each_is_whole_and_needs_torch_alone(run: Run) -> None:
    red = [
        cell
        for cell in run.cells
        if cell.probe == "corpus.right" and cell.outcome.bad and cell.build.startswith("2.1")
    ]
    assert len(red) > 100
    for cell in {cell.check: cell for cell in red}.values():
        module = ast.parse(repro_of(cell, build_of(run, cell)))
        imported = {
            each.name.partition(".")[0]
            for node in ast.walk(module)
            if isinstance(node, ast.Import)
            for each in node.names
        } | {
            (node.module or "").partition(".")[0]
            for node in ast.walk(module)
            if isinstance(node, ast.ImportFrom)
        }
        assert imported <= {"__future__", "copy", "sys", "torch", "typing", "collections", "math"}
        used = {node.id for node in ast.walk(module) if isinstance(node, ast.Name)}
        assert used <= names_bound(module) | {"__name__", *vars(builtins)}, cell.id


@pytest.mark.parametrize(("spec", "status"), [("==2.11.0", 1), ("==2.13.0", 0)])
def test_it_is_red_where_the_cell_is(
    spec: str,
    status: int,
    real_build: Callable[[str], Environment],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(ROOT)
    assert cli.main(["repro", CELL, "--to", str(tmp_path)]) == 0
    said = capsys.readouterr().out
    file = tmp_path / "corpus.right-rows-interleaved-standalone.py"
    assert said.startswith(f"{file}: exits with 1 on ==2.11.0\n")
    assert f"--builds ==2.11.0 ==2.15.0 -- python {file}" in said
    ended = subprocess.run(
        [real_build(spec).python, "-I", file], capture_output=True, text=True, cwd=tmp_path
    )
    assert ended.returncode == status, ended.stdout + ended.stderr


@pytest.mark.parametrize(
    ("cell", "said"),
    [
        ("corpus.right[rows-interleaved-standalone]@2.13.0-cpu", "a cell that ended badly"),
        ("corpus.right[no-graph]@2.11.0-cpu", "the id of a cell of the latest run"),
        ("parity.outputs[silent-float32-static-aot]@2.10.0-cpu", "a cell of corpus.right"),
    ],
)
def test_one_line_says_why_there_is_none(
    cell: str,
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(ROOT)
    assert cli.main(["repro", cell, "--to", str(tmp_path)]) == USAGE
    (line,) = capsys.readouterr().err.splitlines()
    assert said in line
    assert not list(tmp_path.iterdir())
