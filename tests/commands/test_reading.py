"""Two nights, reported and read through the user's commands; without torch: streams made here."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path

import jsonschema
import pytest

from compat.commands.cells import read_cells
from compat.findings.support import schema as support_schema
from compat.runs.history import schema as history_schema
from compat.runs.model import Build, Outcome, Source, to_json
from compat.runs.store import RunFolder, write_json
from compat.runs.store import schema as run_schema
from tests.commands.test_cli import compat
from tests.conftest import SOURCE, make_build

pytestmark = pytest.mark.slow

NO = "AssertionError: no @ torch._inductor:standalone_compile"
OK = Outcome.PASS


def night(place: Path, day: int, seen: Mapping[str, Outcome]) -> RunFolder:
    """A run of a release and of that night's nightly; ``seen``: how probes end on the latter."""
    source = Source(
        id=f"2026-11-{day}T050000.000Z",
        started=f"2026-11-{day}T05:00:00+00:00",
        harness=SOURCE.harness,
        host=SOURCE.host,
    )
    folder = RunFolder(place / ".compat" / "runs" / source.id)
    folder.path.mkdir(parents=True)
    write_json(folder.path / "header.json", to_json(source))
    write(folder, make_build("2.15.0", aliases=("2.15",)), dict.fromkeys(seen, OK))
    nightly = f"2.16.0.dev202611{day}"
    write(folder, make_build(nightly, channel="nightly", aliases=("nightly",)), seen)
    return folder


def write(folder: RunFolder, build: Build, seen: Mapping[str, Outcome]) -> None:
    stream = folder.stream(build.id)
    stream.append("build", to_json(build))
    for probe, outcome in seen.items():
        check = {"probe": probe, "params": {}}
        stream.append("plan", {**check, "description": "Asks."})
        signature = NO if outcome is Outcome.FAIL else ""
        stream.append("cell", {**check, "outcome": outcome, "signature": signature})
    stream.append("end", {"status": "ok", "reason": ""})


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Both nights reported one after the other; on the second one ``a.b`` fails."""
    place = tmp_path_factory.mktemp("place")
    first = night(place, 21, {"a.b": OK, "a.c": OK})
    assert ran("report", str(first.path), place=place).returncode == 0
    night(place, 22, {"a.b": Outcome.FAIL, "a.c": OK})
    assert ran("report", place=place).returncode == 1
    return place


def ran(*arguments: str, place: Path) -> subprocess.CompletedProcess[str]:
    answer = compat(*arguments, cwd=place)
    assert answer.returncode in {0, 1}, answer.stderr
    assert answer.stderr == ""
    return answer


def data(place: Path, name: str) -> dict[str, object]:
    read: dict[str, object] = json.loads((place / "reports" / name).read_text())
    return read


def test_the_report_knows_the_night_before_and_the_release(place: Path) -> None:
    compared = data(place, "latest/comparisons.json")
    assert {name: each["totals"]["lost"] for name, each in compared.items()} == {  # type: ignore[index]
        "previous": 1,
        "stable": 1,
    }
    jsonschema.validate(data(place, "latest/run.json"), run_schema())
    jsonschema.validate(data(place, "data/history.json"), history_schema())
    jsonschema.validate(data(place, "data/support.json"), support_schema())
    assert data(place, "data/history.json")["outcomes"] == {
        "a.b": "pppf",
        "a.c": "pppp",
        "build.whole": "pppp",
    }
    assert "1 unexpectedly lost or worse" in (place / "reports" / "summary.md").read_text()
    for name in ("README.md", "issue.md"):
        assert NO.replace("_", "\\_") in (place / "reports" / name).read_text()


def test_a_run_is_added_to_what_is_published(tmp_path: Path) -> None:
    folders = [night(tmp_path, 21, {"a.b": OK}), night(tmp_path, 22, {"a.c": OK})]
    ran("report", *(str(each.path) for each in folders), place=tmp_path)
    both = data(tmp_path, "latest/run.json")
    ran("report", str(folders[0].path), place=tmp_path)
    ran("report", "reports/latest/run.json", str(folders[1].path), place=tmp_path)
    assert data(tmp_path, "latest/run.json") == both


def test_the_same_run_reported_again_gives_the_same_bytes(place: Path) -> None:
    def contents() -> dict[str, bytes]:
        files = (place / "reports").rglob("*")
        return {str(path): path.read_bytes() for path in files if path.is_file()}

    before = contents()
    ran("report", place=place)
    assert contents() == before


@pytest.mark.parametrize(
    ("old", "new", "status", "said"),
    [
        ("2026-11-21", "latest", 1, "6 answers compared: 1 lost"),
        ("2026-11-21", ".compat/runs/2026-11-22T050000.000Z", 1, "1 lost"),
        ("2026-11-22T050000.000Z", "reports/latest/run.json", 0, "6 same"),
        ("latest", "2026-11-21", 0, "1 gained"),
        ("2.15", "nightly", 1, "3 answers compared: 1 lost"),
        ("nightly", "2.15.0", 0, "1 gained"),
    ],
)
def test_compare(old: str, new: str, status: int, said: str, place: Path) -> None:
    answer = ran("compare", old, new, place=place)
    assert said in answer.stdout
    assert answer.returncode == status
    assert answer.stdout.count("lost: ") == status


def test_a_day_whose_folder_is_gone_is_taken_from_the_history(place: Path, tmp_path: Path) -> None:
    (tmp_path / "reports").symlink_to(place / "reports")
    answer = ran("compare", "2026-11-21", "latest", place=tmp_path)
    assert "6 answers compared: 1 lost" in answer.stdout
    assert "on CPU" in answer.stdout.splitlines()[0]


def test_the_list_of_what_is_to_be_run_again_is_taken_by_cells(place: Path) -> None:
    assert [*read_cells(place / "reports" / "data" / "rerun.txt")] == ["a.b@2.16.0.dev20261122-cpu"]


def test_explain_and_advise(place: Path) -> None:
    told = ran("explain", "a.b@2.16.0.dev20261122-cpu", place=place).stdout
    assert f"outcome fail: {NO} on 2.16.0.dev20261122 (2026-11-22), 1 run" in told
    assert "outcome pass on 2.16.0.dev20261121 (2026-11-21), 1 run" in told
    assert "--builds ==2.16.0.dev20261122 --device cpu --depth full --fresh --probes a.b" in told
    assert "a.b@2.15.0-cpu: pass" in ran("explain", "a.b", place=place).stdout
    for name in ("a.b", "a.b@2.15", "a.b@2.15.0", "a.b@2.15-cpu", "a.b@2.15.0-cpu"):
        assert "a.b@2.15.0-cpu: pass" in ran("explain", name, place=place).stdout, name
    assert "What breaks:" not in ran("advise", "--torch", "2.15", place=place).stdout
    told = ran("advise", "--torch", ">=2.15", place=place).stdout
    assert "What breaks:" in told
    assert "a.b@2.16.0.dev20261122-cpu" in told


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["compare", "2.99", "latest"], "'2.99': expected a run.json"),
        (["compare", "2026-11-01", "latest"], "2026-11-01: no run of that day"),
        (["compare", "2.15", "latest"], "2.15.0 and 2026-11-22T050000.000Z: expected two runs"),
        (["compare", "broken.json", "latest"], "expected a run.json of this version: broken.json"),
        (["compare", "latest"], "NEW"),
        (["explain", "a.bb@2.15.0-cpu"], "close to it: a.b@2.15.0-cpu"),
        (["advise", "--torch", "new"], "'>=2.11,<2.14', not 'new'"),
        (["advise", "--torch", "2.15", "--subject", "vllm"], "'vllm': the latest run does not"),
        (["advise", "--torch", "2.13"], "--torch '==2.13.*': no build of the latest run"),
        (["advise", "--torch", ">=3"], ">=3"),
        (["advise"], "--torch"),
    ],
)
def test_one_clear_line(arguments: list[str], named: str, place: Path) -> None:
    (place / "broken.json").write_text('{"schema_version": 1}')
    answer = compat(*arguments, cwd=place)
    assert answer.returncode == 2
    assert answer.stdout == ""
    (line,) = answer.stderr.splitlines()
    assert line.startswith("compat: ")
    assert named in line


def test_without_a_report_there_is_one_line(tmp_path: Path) -> None:
    for arguments in (["compare", "latest", "latest"], ["explain", "a.b"]):
        answer = compat(*arguments, cwd=tmp_path)
        assert answer.returncode == 2
        assert answer.stderr == (
            "compat: reports/latest/run.json: no such file: run nox -s matrix first\n"
        )
