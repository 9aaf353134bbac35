"""What is planned, what is known, and what a job that leaves nothing becomes."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from packaging.version import Version

from compat.builds.index import IndexedWheel
from compat.builds.resolve import Resolution
from compat.builds.spec import parse_spec
from compat.errors import UsageError
from compat.nightly import plan as planning
from compat.nightly.plan import (
    SEEN,
    Job,
    github_outputs,
    load_job,
    make_plan,
    planned_run,
    received_from_jobs,
)
from compat.nightly.received import sent_by
from compat.probes.sources import plan_source, probe_sources
from compat.running import host
from compat.running.pipeline import described
from compat.runs.history import run_id
from compat.runs.model import Harness, Outcome, Run, Status, to_json
from compat.runs.retention import collect, keep_newest, prune
from compat.runs.reuse import Key
from compat.runs.store import RunFolder, merge, write_json
from compat.subjects.spec import BUILTIN_ALONE
from compat.topics.gates.records import Capability
from compat.topics.records import encode
from tests.conftest import ENVIRONMENT, SOURCE

ALONE = [BUILTIN_ALONE]
HARNESS = Harness(version="0.1.0", commit="0123456789" * 4)

# What a job found of a wheel that the index gives no hash for.
OWN = 64 * "0"

CHECK = {"probe": "gates.capability", "params": {"feature": "aot"}}
RECORD = encode(
    "gates.capability", Capability(gate=True, capability=True, floor="2.10.0", source="")
)


def resolution(version: str, sha256: str = "") -> Resolution:
    wheel = IndexedWheel(
        version=Version(version),
        channel="nightly",
        filename=f"torch-{version}-py3-none-any.whl",
        url="",
        sha256=sha256,
        index=None,
    )
    return Resolution(specs=(parse_spec("nightly"),), wheel=wheel, note="a note")


NEW, OLD = resolution("2.16.0.dev20261122"), resolution("2.16.0.dev20261121")


@pytest.fixture(autouse=True)
def _one_commit(monkeypatch: pytest.MonkeyPatch) -> None:
    # Git is not asked for it.
    for module in (host, planning):
        monkeypatch.setattr(module, "describe_harness", lambda: HARNESS)


def leave_run(parent: Path, build: Resolution, outcome: Outcome = Outcome.PASS) -> RunFolder:
    """A run of one check on one build, to its end."""
    folder = RunFolder.create(parent, host.describe_harness(), SOURCE.host)
    record = to_json(described(build, "cpu"))
    stream = folder.stream(described(build, "cpu").id)
    key = Key(
        environment="e", plan=plan_source(), probes=probe_sources(), depth="default", select=()
    )
    stream.append("build", {**record, "wheel": {**record["wheel"], "sha256": OWN}})
    stream.append("key", to_json(key))
    stream.append("environment", {**ENVIRONMENT, "version": build.id("cpu").name})
    stream.append("plan", {**CHECK, "description": "", "node": ""})
    record = RECORD if outcome is Outcome.PASS else None
    stream.append("cell", {**CHECK, "outcome": outcome, "record": record})
    stream.append("end", {"status": Status.OK, "reason": "", "seconds": {}})
    return folder


def planned(home: Path, earlier: list[RunFolder], gpu: str = "") -> list[Job]:
    builds = [NEW, OLD]
    return make_plan({"cpu": builds, "cuda": builds}, ALONE, "default", gpu, earlier, home)


def left_by(home: Path, build: Resolution) -> Path:
    """Where the job of a build on a CPU leaves what it saw."""
    return home / SEEN / sent_by(build.id("cpu"))


def run_of(home: Path) -> Run:
    received = received_from_jobs(home, [])
    assert received.lines() == []
    return planned_run(home, received.folders)


def test_what_is_known_gets_no_job(tmp_path: Path) -> None:
    earlier = [leave_run(tmp_path / "runs", OLD)]
    (job,) = planned(tmp_path / "plan", earlier)
    assert job.id == "2.16.0.dev20261122-cpu"
    assert load_job(tmp_path / "plan", job.id) == job
    jobs, commit, plan, published = github_outputs(tmp_path / "plan", [job], False).splitlines()
    assert json.loads(jobs.removeprefix("jobs=")) == [
        {"id": job.id, "runner": "ubuntu-24.04", "minutes": 60, "cache": job.cache}
    ]
    assert commit == f"commit={HARNESS.commit}"
    assert re.fullmatch(r"plan=[0-9a-f]{64}", plan)
    assert published == "published=false"
    run = planned_run(tmp_path / "plan", [])
    cells = {cell.build: cell for cell in run.cells if cell.build.device == "cpu"}
    known = cells[OLD.id("cpu")]
    assert (known.outcome, known.seen_in) == (Outcome.PASS, earlier[0].source.id)
    assert cells[NEW.id("cpu")].outcome is Outcome.NOT_RUN
    reasons = {build.label: build.reason for build in run.builds}
    assert reasons[NEW.id("cpu").name].startswith("its job left nothing")
    assert reasons["all-builds cuda"] == "no GPU runner configured"


def test_a_job_has_a_cache_of_its_own_as_long_as_it_has_the_same_to_do(tmp_path: Path) -> None:
    def caches(*builds: Resolution, depth: str = "default") -> list[str]:
        jobs = make_plan(
            {"cpu": builds, "cuda": builds}, ALONE, depth, "gpu", [], tmp_path / "plan"
        )
        return [job.cache for job in jobs]

    both = caches(NEW, OLD)
    assert len(set(both)) == 4
    assert caches(NEW, OLD) == both
    assert not set(caches(NEW, OLD, depth="full")) & set(both)
    assert not set(caches(resolution(NEW.id("cpu").name, sha256="another"))) & set(both)


def test_what_its_job_saw_replaces_what_was_planned(tmp_path: Path) -> None:
    planned(tmp_path / "plan", [])
    leave_run(left_by(tmp_path / "plan", NEW), NEW, Outcome.FAIL)
    run = run_of(tmp_path / "plan")
    (build,) = (each for each in run.builds if each.id == NEW.id("cpu"))
    assert build.status is Status.OK
    assert [cell.outcome for cell in run.cells if cell.build == NEW.id("cpu")] == [Outcome.FAIL]


def test_a_build_that_could_not_be_installed_is_broken_and_not_unrun(tmp_path: Path) -> None:
    planned(tmp_path / "plan", [])
    build = described(NEW, "cpu")
    parent = left_by(tmp_path / "plan", NEW)
    stream = RunFolder.create(parent, host.describe_harness(), SOURCE.host).stream(build.id)
    stream.append("build", to_json(build))
    stream.append("end", {"status": Status.BROKEN, "reason": "no wheel", "seconds": {}})
    (seen,) = (each for each in run_of(tmp_path / "plan").builds if each.id == NEW.id("cpu"))
    assert (seen.status, seen.reason) == (Status.BROKEN, "no wheel")


def test_a_night_in_which_all_was_known_has_been(tmp_path: Path) -> None:
    earlier = [leave_run(tmp_path / "runs", OLD)]
    assert make_plan({"cpu": [OLD]}, ALONE, "default", "", earlier, tmp_path / "plan") == []
    plan = RunFolder.latest(tmp_path / "plan")
    assert plan is not None
    run = run_of(tmp_path / "plan")
    assert [source.id for source in run.sources] == [earlier[0].source.id, plan.source.id]
    assert run_id(run) == plan.source.id


def test_who_tried_a_build_that_broke_is_among_the_sources(tmp_path: Path) -> None:
    """All else was known, so nobody saw a cell: the build broke today, and not in the past."""
    earlier = leave_run(tmp_path, OLD)
    folder = RunFolder.create(tmp_path, SOURCE.harness, SOURCE.host)
    build = described(NEW, "cpu")
    stream = folder.stream(build.id)
    stream.append("build", to_json(build))
    stream.append("end", {"status": Status.BROKEN, "reason": "no wheel", "seconds": {}})
    run = merge([earlier, folder])
    assert {source.id for source in run.sources} == {earlier.source.id, folder.source.id}


@pytest.mark.parametrize("outcome", [Outcome.TIMEOUT, Outcome.NOT_RUN])
def test_what_may_end_otherwise_is_not_known(tmp_path: Path, outcome: Outcome) -> None:
    earlier = [leave_run(tmp_path / "runs", OLD, outcome)]
    assert len(planned(tmp_path / "plan", earlier)) == 2


def test_another_wheel_of_that_name_is_not_known(tmp_path: Path) -> None:
    earlier = [leave_run(tmp_path / "runs", OLD)]
    other = resolution(OLD.id("cpu").name, sha256="another")
    assert make_plan({"cpu": [other]}, ALONE, "default", "", earlier, tmp_path / "plan")
    same = resolution(OLD.id("cpu").name, sha256=OWN)
    assert not make_plan({"cpu": [same]}, ALONE, "default", "", earlier, tmp_path / "plan")


def test_a_candidate_without_a_hash_may_be_another_one_and_gets_a_job(tmp_path: Path) -> None:
    assert OLD.wheel is not None
    candidate = replace(OLD, wheel=replace(OLD.wheel, channel="test"))
    earlier = [leave_run(tmp_path / "runs", candidate)]
    assert make_plan({"cpu": [candidate]}, ALONE, "default", "", earlier, tmp_path / "plan")


def test_a_gpu_runner_takes_jobs(tmp_path: Path) -> None:
    jobs = planned(tmp_path / "plan", [], gpu="h200")
    assert {(job.device, job.runner) for job in jobs} == {("cpu", "ubuntu-24.04"), ("cuda", "h200")}


def test_an_interpreter_is_no_job(tmp_path: Path) -> None:
    local = Resolution(specs=(parse_spec("python:/x/bin/python"),), python=Path("/x/bin/python"))
    with pytest.raises(UsageError, match="expected a build that any machine can install"):
        make_plan({"cpu": [local]}, ALONE, "default", "", [], tmp_path / "plan")


def test_jobs_that_are_not_planned(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="run compat plan first"):
        load_job(tmp_path, "2.15.0-cpu")
    with pytest.raises(UsageError, match="run compat plan first"):
        run_of(tmp_path)
    planned(tmp_path, [])
    with pytest.raises(UsageError, match=r"there are 2\.16\.0\.dev20261122-cpu, 2"):
        load_job(tmp_path, "2.15.0-cpu")


def test_runs_are_forgotten_after_a_month_and_the_newest_of_each_build_is_published(
    tmp_path: Path,
) -> None:
    runs, published = tmp_path / "runs", tmp_path / "data" / "runs"
    old, first, second = (leave_run(runs, build) for build in (NEW, OLD, OLD))
    began = datetime.now(timezone.utc) - timedelta(days=31)
    header = {**to_json(old.source), "started": began.isoformat(timespec="seconds")}
    write_json(old.path / "header.json", header)
    cut = leave_run(runs, OLD)
    (stream,) = cut.streams()
    stream.append("end", {"status": Status.BROKEN, "reason": "", "seconds": {}})

    prune(runs)
    keep_newest(RunFolder.all(runs), published)
    assert RunFolder.all(runs) == [first, second, cut]
    (kept,) = RunFolder.all(published)
    assert kept.path.name == second.path.name
    assert merge([kept]).cells == merge([second]).cells
    # Again, with what is published alone.
    keep_newest(RunFolder.all(published), published)
    assert [each.path.name for each in RunFolder.all(published)] == [second.path.name]

    collect(RunFolder.all(published), tmp_path / "elsewhere")
    assert [each.path.name for each in RunFolder.all(tmp_path / "elsewhere")] == [second.path.name]
