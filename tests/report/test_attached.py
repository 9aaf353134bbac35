"""The files beside a report: which there are, what they are called, and what is in them."""

from __future__ import annotations

import ast
import re
from dataclasses import replace
from pathlib import Path

import pytest

from compat.findings.expectations import load_expectations
from compat.findings.results import Results
from compat.report import attached as attaching
from compat.report.attached import LARGEST_B, MOST, NAME, attached, file_name, write_repros
from compat.report.explain import explain
from compat.report.failures import Kind, failures
from compat.report.markdown import render
from compat.report.places import REPROS
from compat.report.repro import can_be_made, repro_of
from compat.report.write import write_reports
from compat.runs.ids import BuildId
from compat.runs.model import Outcome, Run
from compat.runs.reference import load_latest
from tests.conftest import make_build, make_cell, make_run
from tests.published import RUN
from tests.report.hostile import HOSTILE_TEXTS
from tests.report.made import results as results_without_expectations

CHECK = {"graph": "rows-interleaved", "path": "standalone"}
# What would be obeyed if it did not stay within a text or a comment.
BREAKING_OUT = (
    '"""\nraise SystemExit(7)\n"""',
    "'''\nraise SystemExit(7)\n'''",
    '\\"""\\',
    "{{ 7 * 7 }}{% raw %}",
    "# x\rraise SystemExit(7)\x0craise SystemExit(7)\u2028raise SystemExit(7)",
    *HOSTILE_TEXTS,
)


@pytest.fixture(scope="module")
def run() -> Run:
    return load_latest(RUN)


@pytest.fixture(scope="module")
def results(run: Run) -> Results:
    return results_without_expectations(run, expectations=load_expectations())


def test_each_line_of_failures_has_one_file_of_the_newest_build(results: Results) -> None:
    files = attached(results)
    found = failures(results)
    with_files = [each for each in found if any(map(can_be_made, each.cells))]
    assert 40 < len(with_files) == len(files.made_of) <= MOST < len(results.findings.expected)
    for failure in found:
        names = {files.names.get(cell.id, "") for cell in failure.cells}
        assert len(names) == 1
        if failure not in with_files:
            assert names == {""}
            continue
        made_of = files.made_of[names.pop()]
        assert made_of in failure.cells
        devices = {cell.build.device for cell in failure.cells if can_be_made(cell)}
        versions = {cell.build.name for cell in failure.cells if can_be_made(cell)}
        assert made_of.build.name == max(versions, key=lambda each: [*map(int, each.split("."))])
        if devices == {"cpu", "cuda"} and made_of.build.device == "cuda":
            on_cpu = BuildId.of(made_of.build.name, "cpu")
            assert on_cpu not in {cell.build for cell in failure.cells}


def test_the_same_run_gives_the_same_files_and_no_others(run: Run, tmp_path: Path) -> None:
    cells = [each for each in run.cells if each.probe == "parity.outputs"]
    some = results_without_expectations(replace(run, cells=tuple(cells)))
    made = []
    for folder in (tmp_path / "one", tmp_path / "other"):
        stale = folder / REPROS / "corpus.right-gone-2.1.0-cpu.py"
        stale.parent.mkdir(parents=True)
        stale.write_text("raise SystemExit")
        write_reports(folder, some, "README.md")
        made.append({path.name: path.read_bytes() for path in (folder / REPROS).iterdir()})
    assert made[0] == made[1]
    assert made[0].keys() == attached(some).made_of.keys()
    # Without a failure there is no such folder.
    right = [each for each in cells if each.outcome is Outcome.PASS]
    write_reports(tmp_path, results_without_expectations(replace(run, cells=tuple(right))), "x")
    assert not (tmp_path / REPROS).exists()


def test_they_are_few_and_small(results: Results, run: Run, tmp_path: Path) -> None:
    write_repros(attached(results).made_of, run, tmp_path / REPROS)
    sizes = [path.stat().st_size for path in (tmp_path / REPROS).iterdir()]
    assert len(sizes) <= MOST
    assert max(sizes) < LARGEST_B
    # As docs/reading-the-report.md says.
    assert sum(sizes) < MOST * LARGEST_B == 1_638_400


def test_what_is_new_comes_first_where_there_are_too_many(
    results: Results, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = list(failures(results))
    new = next(each for each in reversed(made) if any(map(can_be_made, each.cells)))
    unexpected = tuple(cell.id for cell in new.cells)
    findings = replace(results.findings, unexpected=unexpected)
    monkeypatch.setattr(attaching, "MOST", 1)
    (cell,) = attached(replace(results, findings=findings)).made_of.values()
    assert cell in new.cells
    assert failures(replace(results, findings=findings))[0].kind is Kind.NEW


@pytest.mark.parametrize("text", BREAKING_OUT)
def test_no_text_of_a_cell_becomes_code_or_a_strange_name(text: str) -> None:
    build = make_build("local-x", id=BuildId(f"local-{text}-cpu"), channel="local")
    cell = replace(
        make_cell("2.13.0", "corpus.right", Outcome.FAIL, params=CHECK, reason=text),
        build=build.id,
        signature=text,
        message=text,
    )
    hostile = attached(results_without_expectations(make_run([build], [cell])))
    ((name, made_of),) = hostile.made_of.items()
    assert re.fullmatch(NAME, name)
    written = repro_of(made_of, build)
    # It can be written as it is, and read.
    module = ast.parse(written.encode("utf-8"))
    harmless = replace(cell, build=BuildId("local-x-cpu"), reason="off")
    plain = repro_of(harmless, replace(build, id=harmless.build))
    assert ast.get_docstring(module)
    assert list(map(ast.dump, module.body[1:])) == list(map(ast.dump, ast.parse(plain).body[1:]))
    # Comments are no part of a tree.
    begins = "from __future__"
    assert written[written.index(begins) :] == plain[plain.index(begins) :]
    assert len(written.encode()) < LARGEST_B


def test_parameters_that_are_not_known_make_no_file() -> None:
    build = make_build("2.13.0")
    for name in CHECK:
        params = {**CHECK, name: '"""\nraise SystemExit(7)'}
        cell = make_cell("2.13.0", "corpus.right", Outcome.FAIL, params=params)
        assert not attached(results_without_expectations(make_run([build], [cell]))).made_of


def test_builds_of_nearly_the_same_name_never_share_a_file() -> None:
    builds = [
        make_build("local-x", id=BuildId(f"local-a{sign}b-cpu"), channel="local") for sign in "/ "
    ]
    cells = [
        replace(
            make_cell("2.13.0", "corpus.right", Outcome.FAIL, params=CHECK),
            build=build.id,
            signature=f"E: {number}",
        )
        for number, build in enumerate(builds)
    ]
    files = attached(results_without_expectations(make_run(builds, cells)))
    assert files.names == {cells[0].id: file_name(cells[0])}


def test_readme_and_explain_name_the_file(results: Results) -> None:
    files = attached(results)
    text = render(results)
    for name in files.made_of:
        assert f"; [`repro`]({REPROS}/{name})" in text
    name, cell = next(iter(files.made_of.items()))
    assert f"\n  as a file:   reports/{REPROS}/{name}\n" in explain(cell.id, results)
    right = next(each for each in results.run.cells if each.id not in files.names)
    assert "as a file:" not in explain(right.id, results)
