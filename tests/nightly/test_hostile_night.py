"""What a hostile job leaves goes from report to next plan, and costs its own build alone."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from compat import cli
from compat.commands.places import HANDED_OVER, PLAN, PUBLISHED_RUNS, REPORTS, RUNS
from compat.nightly.handover import PLAN_DIGEST, REPORTS_DIGEST, digest_of
from compat.nightly.plan import ACCEPTED, SEEN, make_plan
from compat.nightly.received import LARGEST_STREAM_B, LONGEST_LINE_B
from compat.running.pipeline import described
from compat.runs.history import load_history
from compat.runs.model import Outcome, Run, to_json
from compat.runs.store import RunFolder, load, write_json
from compat.runs.stream import Stream
from compat.subjects.spec import BUILTIN_ALONE
from tests.nightly.test_plan import CHECK, NEW, OLD, leave_run, left_by

pytestmark = pytest.mark.slow

ALONE = [BUILTIN_ALONE]

FUTURE = "9999-01-01T000000.000Z"


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A clone with an origin; everything that a fsmonitor of others runs leaves a mark."""
    monkeypatch.delenv(PLAN_DIGEST, raising=False)
    clone = tmp_path / "clone"
    git(tmp_path, "init", "--quiet", "--bare", "-b", "main", "origin")
    git(tmp_path, "init", "--quiet", "-b", "main", "clone")
    git(clone, "remote", "add", "origin", str(tmp_path / "origin"))
    (clone / ".gitignore").write_text(".compat/\n")
    git(clone, "add", "--all")
    git(clone, "commit", "--quiet", "-m", "A fork")
    git(clone, "push", "--quiet", "--set-upstream", "origin", "main")
    monkeypatch.chdir(clone)
    return clone


def git(folder: Path, *arguments: str) -> str:
    somebody = ("-c", "user.name=somebody", "-c", "user.email=somebody@example.org")
    command = ["git", *somebody, *arguments]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, (arguments, done.stderr)
    return done.stdout


def spend_night(monkeypatch: pytest.MonkeyPatch, *, hostile: bool) -> None:
    """Plan two builds; the one leaves what it saw, the other one what it likes, or nothing."""
    shutil.rmtree(".compat", ignore_errors=True)
    builds = {"cpu": [NEW, OLD]}
    jobs = make_plan(builds, ALONE, "default", "", RunFolder.all(PUBLISHED_RUNS), PLAN)
    assert {job.id for job in jobs} == {NEW.id("cpu"), OLD.id("cpu")}
    monkeypatch.setenv(PLAN_DIGEST, digest_of(PLAN, but=(SEEN, ACCEPTED)))
    leave_run(left_by(PLAN, OLD), OLD)
    if hostile:
        attack(left_by(PLAN, NEW))


def attack(folder: Path) -> None:
    """Everything that a job can hand over beside what it was asked for."""
    own = leave_run(folder, NEW, Outcome.FAIL)
    victim = leave_run(folder, OLD, Outcome.FAIL)
    source = to_json(own.source)
    (stream,) = own.streams()
    # Another build's stream beside its own one, and alone.
    shutil.copy(victim.streams()[0].path, own.path)
    # A header on top, of the last year there is; a run of that year, and one named as the plan.
    write_json(folder / "header.json", {**source, "id": FUTURE})
    (plan,) = PLAN.glob("*/header.json")
    for name in (FUTURE, plan.parent.name):
        shutil.copytree(own.path, folder / name)
        write_json(folder / name / "header.json", {**source, "id": name})
    # Lines in its own stream that speak of others, or are too long.
    planned = to_json(described(OLD, "cpu"))
    for kind, data in (
        ("build", planned),
        (
            "environment",
            {"id": OLD.id("cpu"), "version": NEW.id("cpu").name, "device": {"kind": "cpu"}},
        ),
        ("source", {**source, "id": FUTURE}),
        ("source", {**source, "id": plan.parent.name}),
        ("plan", {"probe": "invented.probe", "params": {}, "description": "@everyone"}),
        ("cell", {**CHECK, "outcome": "pass", "seen_in": FUTURE}),
    ):
        stream.append(kind, data)
        Stream(folder / plan.parent.name / stream.path.name).append(kind, data)
    # Where no writer of ours has cut what is said.
    long = json.dumps({"kind": "cell", **CHECK, "message": "x" * LONGEST_LINE_B}).encode()
    with stream.path.open("ab") as file:
        file.write(long + b"\n\xff\xfe\n" + b"[" * 100_000)
        file.write(b'\n{"kind": "cell"}\n{"kind": 3}\n[]\n')
    with (folder / plan.parent.name / stream.path.name).open("ab") as file:
        file.write(b"x" * LARGEST_STREAM_B)
    # Names that begin with a dot, a nested clone, links.
    for place in (folder, own.path):
        nested_clone(place / "nested")
        (place / ".hidden").write_text("x")
    (own.path / "link.jsonl").symlink_to(victim.path)
    linked = folder / "2026-11-22T050000.000Z"
    linked.symlink_to(own.path)


def nested_clone(folder: Path) -> None:
    """One whose configuration names a command that git would run."""
    git(folder.parent, "init", "--quiet", folder.name)
    mark = Path.cwd().parent / "ran"
    git(folder, "config", "core.fsmonitor", f"env > {mark}; false")
    git(folder, "commit", "--quiet", "--allow-empty", "-m", "x", "--no-verify")
    mark.unlink(missing_ok=True)


def report(capsys: pytest.CaptureFixture[str], status: int) -> str:
    capsys.readouterr()
    assert cli.main(["report", "--planned"]) == status
    said = capsys.readouterr().err
    assert cli.main(["remember"]) == 0
    return said


def about(run: Run, build: str) -> list[Mapping[str, Any]]:
    """All that a run says of a build's cells, but for the ids of executions."""
    return [to_json(replace(cell, seen_in="")) for cell in run.cells if cell.build == build]


def test_a_hostile_job_changes_nothing_but_its_own_build(
    here: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    spend_night(monkeypatch, hostile=False)
    assert report(capsys, 0) == ""
    quiet = load(REPORTS / "latest" / "run.json")
    shutil.rmtree(REPORTS)

    spend_night(monkeypatch, hostile=True)
    said = report(capsys, 1).splitlines()
    assert all(line.startswith(f"compat: refused from {NEW.id('cpu')}: ") for line in said)
    for what in (
        "'header.json': expected a folder",
        f"'{FUTURE}': header.json: expected a run that began after",
        f"{OLD.id('cpu')}.jsonl': expected {NEW.id('cpu')}.jsonl alone",
        f"expected at most {LARGEST_STREAM_B} B, not 1",
        "'nested': header.json: expected a plain file",
        "'.hidden': expected a folder",
        "'2026-11-22T050000.000Z': expected a folder",
        "lines more",
    ):
        assert any(what in line for line in said), (what, said)
    assert max(map(len, said)) < 500

    run = load(REPORTS / "latest" / "run.json")
    now = datetime.now(timezone.utc)
    assert about(run, OLD.id("cpu")) == about(quiet, OLD.id("cpu"))
    assert run.descriptions == quiet.descriptions
    assert [cell.outcome for cell in run.cells if cell.build == NEW.id("cpu")] == [Outcome.FAIL]
    assert len(run.builds) == len(quiet.builds)
    assert max(source.id for source in run.sources) < f"{now:%Y-%m-%dT%H%M%S}.999Z"
    columns = load_history(REPORTS / "data" / "history.json").columns
    assert {column.run[:4] for column in columns} == {f"{now.year}"}
    names = sorted(path.name for path in PUBLISHED_RUNS.glob("*/*.jsonl"))
    assert names == sorted(f"{build.id('cpu')}.jsonl" for build in (NEW, OLD))

    # Published, and what the next night plans: of the victim all is known.
    shutil.move(REPORTS, HANDED_OVER)
    monkeypatch.setenv(REPORTS_DIGEST, digest_of(HANDED_OVER))
    assert cli.main(["publish"]) == 0
    listed = git(here, "ls-tree", "-r", "origin/main").splitlines()
    assert {line.split()[0] for line in listed} == {"100644"}
    assert not [line for line in listed if "/." in line]
    shutil.rmtree(RUNS)
    jobs = make_plan(
        {"cpu": [OLD]}, ALONE, "default", "", RunFolder.all(PUBLISHED_RUNS, RUNS), PLAN
    )
    assert jobs == []
    assert not (here.parent / "ran").exists()


def test_a_job_that_hands_over_nothing_of_its_own_is_a_build_that_was_not_run(
    here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    spend_night(monkeypatch, hostile=False)
    folder = left_by(PLAN, NEW)
    leave_run(folder, OLD, Outcome.FAIL)
    (line,) = report(capsys, 0).splitlines()
    assert line.endswith(f"{OLD.id('cpu')}.jsonl': expected {NEW.id('cpu')}.jsonl alone")
    reasons = {build.id: build.reason for build in load(REPORTS / "latest" / "run.json").builds}
    assert reasons[NEW.id("cpu")].startswith("what its job left was refused: '20")
    assert reasons[OLD.id("cpu")] == ""


def test_a_plan_that_another_job_wrote_over_is_refused(
    here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    spend_night(monkeypatch, hostile=False)
    (plan,) = RunFolder.all(PLAN)
    plan.streams()[0].append("end", {"status": "ok", "reason": "", "seconds": {}})
    for command in (["report", "--planned"], ["remember"], ["job", NEW.id("cpu")]):
        assert cli.main(command) == 3
        assert "it is not what COMPAT_PLAN stands for" in capsys.readouterr().err
    assert not REPORTS.exists()


def test_a_job_whose_clock_is_wrong_is_not_heard(
    here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    spend_night(monkeypatch, hostile=False)
    run = leave_run(left_by(PLAN, NEW), NEW)
    began = datetime.now(timezone.utc) + timedelta(days=2)
    header = {**to_json(run.source), "started": began.isoformat(timespec="seconds")}
    write_json(run.path / "header.json", header)
    assert "and is over" in report(capsys, 0)


def test_jobs_that_began_in_the_same_millisecond_are_two(
    here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    spend_night(monkeypatch, hostile=False)
    (run,) = RunFolder.all(left_by(PLAN, OLD))
    other = leave_run(left_by(PLAN, NEW), NEW)
    host = replace(run.source.host, cpu="another machine")
    write_json(other.path / "header.json", to_json(replace(run.source, host=host)))
    other.path.rename(other.path.with_name(run.path.name))
    assert report(capsys, 0) == ""
    cells = load(REPORTS / "latest" / "run.json")
    hosts = {source.id: source.host.cpu for source in cells.sources}
    seen_by = {cell.build: hosts[cell.seen_in] for cell in cells.cells}
    assert seen_by == {NEW.id("cpu"): "another machine", OLD.id("cpu"): run.source.host.cpu}


def test_half_a_character_becomes_a_question_mark(
    here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    spend_night(monkeypatch, hostile=False)
    run = leave_run(left_by(PLAN, NEW), NEW)
    cell = {**CHECK, "outcome": "fail", "message": "a \ud800 b"}
    run.streams()[0].append("cell", cell)
    assert report(capsys, 1) == ""
    (seen,) = (
        each for each in load(REPORTS / "latest" / "run.json").cells if each.build == NEW.id("cpu")
    )
    assert seen.message == "a ? b"
    assert json.loads((REPORTS / "latest" / "run.json").read_text())
    assert os.environ[PLAN_DIGEST]
