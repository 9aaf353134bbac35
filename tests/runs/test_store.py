from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import jsonschema
import pytest

from compat.errors import UsageError
from compat.runs.model import (
    SCHEMA_VERSION,
    Harness,
    Host,
    Outcome,
    Status,
    Wheel,
    to_json,
)
from compat.runs.store import RunFolder, load, merge, save, schema
from compat.topics.donation.records import Copies
from tests.conftest import (
    ENVIRONMENT,
    RECORDED,
    SOURCE,
    build_id,
    make_build,
    make_cell,
    make_run,
)

PLAN = {"probe": "parity.outputs", "params": {"path": "aot"}, "description": "Same numbers."}
OTHER = {"probe": "donation.copies", "params": {}, "description": "Copies."}


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    host = Host(system="Linux", machine="x86_64", cpu="a CPU", cores=2)
    return RunFolder.create(tmp_path, Harness(version="0", commit="abc"), host)


def test_a_build_that_ran_to_its_end(folder: RunFolder) -> None:
    stream = folder.stream(build_id("2.13.0"))
    stream.append("build", to_json(make_build("2.13.0", version="")))
    stream.append("environment", ENVIRONMENT)
    stream.append("plan", PLAN)
    stream.append("cell", {"probe": PLAN["probe"], "params": PLAN["params"], "outcome": "pass"})
    stream.append("end", {"status": "ok", "reason": ""})
    run = merge([folder])
    assert [(cell.id, cell.outcome) for cell in run.cells] == [
        ("parity.outputs[aot]@2.13.0-cpu", Outcome.PASS)
    ]
    (build,) = run.builds
    assert (build.version, build.variant, build.triton) == ("2.13.0+cu130", "cu130", "3.7.1")
    assert run.descriptions == {"parity.outputs": "Same numbers."}
    assert run.sources == (folder.source,)
    assert {cell.seen_in for cell in run.cells} == {folder.source.id}


def test_what_was_planned_and_never_came_is_not_run(folder: RunFolder) -> None:
    stream = folder.stream(build_id("2.13.0"))
    stream.append("build", to_json(make_build("2.13.0")))
    stream.append("plan", PLAN)
    stream.append("plan", OTHER)
    stream.append("cell", {"probe": PLAN["probe"], "params": PLAN["params"], "outcome": "fail"})
    with stream.path.open("a") as file:
        file.write('{"kind": "cell", "probe": "donation.cop')
    run = merge([folder])
    assert [cell.outcome for cell in run.cells] == [Outcome.FAIL, Outcome.NOT_RUN]
    assert run.builds[0].status is Status.BROKEN
    assert run.cells[1].reason == "the runner ended before the build did"


def test_a_build_that_could_not_start_is_a_column_of_not_run(folder: RunFolder) -> None:
    test_a_build_that_ran_to_its_end(folder)
    missing = make_build("nightly", version="")
    stream = folder.stream(missing.id)
    stream.append("build", to_json(missing))
    end = {"status": "unavailable", "reason": "no answer"}
    stream.append("end", end)
    run = merge([folder])
    assert [build.id for build in run.builds] == ["2.13.0-cpu", "nightly-cpu"]
    (cell,) = [cell for cell in run.cells if cell.build == "nightly-cpu"]
    assert (cell.check, cell.outcome, cell.reason) == (
        "parity.outputs[aot]",
        Outcome.NOT_RUN,
        "no answer",
    )


def test_of_a_build_in_two_folders_the_later_one_counts_check_by_check(tmp_path: Path) -> None:
    folders = []
    for seen in ({"aot": "fail", "eager": "pass"}, {"aot": "pass"}, {"aot": "not-run"}):
        folder = RunFolder.create(tmp_path, SOURCE.harness, SOURCE.host)
        stream = folder.stream(build_id("2.13.0"))
        stream.append("build", to_json(make_build("2.13.0")))
        for path, outcome in seen.items():
            check = {"probe": PLAN["probe"], "params": {"path": path}}
            stream.append("plan", {**check, "description": ""})
            stream.append("cell", {**check, "outcome": outcome})
        stream.append("end", {"status": "ok", "reason": ""})
        folders.append(folder)
    run = merge(folders)
    assert [build.id for build in run.builds] == ["2.13.0-cpu"]
    first, second, _ = (folder.source.id for folder in folders)
    assert [(cell.check, cell.outcome, cell.seen_in) for cell in run.cells] == [
        ("parity.outputs[aot]", Outcome.PASS, second),
        ("parity.outputs[eager]", Outcome.PASS, first),
    ]


def test_what_was_seen_of_another_wheel_of_that_name_does_not_count(tmp_path: Path) -> None:
    """The second candidate died after one of the two checks that the first one passed."""
    folders = []
    for sha256, paths in (("one", ("aot", "eager")), ("two", ("aot",))):
        folder = RunFolder.create(tmp_path, SOURCE.harness, SOURCE.host)
        wheel = Wheel(filename="torch-2.16.0+cpu.whl", sha256=sha256)
        stream = folder.stream(build_id("2.16.0+cpu"))
        stream.append("build", to_json(make_build("2.16.0+cpu", wheel=wheel)))
        for path in ("aot", "eager"):
            stream.append(
                "plan", {"probe": PLAN["probe"], "params": {"path": path}, "description": ""}
            )
        for path in paths:
            outcome = {"probe": PLAN["probe"], "params": {"path": path}, "outcome": "pass"}
            stream.append("cell", outcome)
        folders.append(folder)
    outcomes = {cell.check: cell.outcome for cell in merge(folders).cells}
    assert outcomes == {
        "parity.outputs[aot]": Outcome.PASS,
        "parity.outputs[eager]": Outcome.NOT_RUN,
    }


def test_runs_that_begin_at_the_same_time_are_two(tmp_path: Path) -> None:
    folders = [RunFolder.create(tmp_path, SOURCE.harness, SOURCE.host) for _ in range(20)]
    assert RunFolder.all(tmp_path) == folders
    assert [folder.source.id for folder in folders] == [folder.path.name for folder in folders]


def test_builds_stand_in_the_order_of_their_versions(folder: RunFolder) -> None:
    for name in ("2.13.0", "2.9.1", "2.13.0.dev20260420", "2.13.0rc1"):
        stream = folder.stream(build_id(name))
        stream.append("build", to_json(make_build(name)))
    assert [build.id.name for build in merge([folder]).builds] == [
        "2.9.1",
        "2.13.0.dev20260420",
        "2.13.0rc1",
        "2.13.0",
    ]


def test_a_run_survives_the_disk(tmp_path: Path) -> None:
    run = make_run(
        [make_build("2.13.0")], [make_cell("2.13.0", "donation.copies", record=Copies(copies=1))]
    )
    save(run, tmp_path / "run.json")
    assert load(tmp_path / "run.json") == run


def test_what_is_written_is_as_published(tmp_path: Path) -> None:
    save(load(RECORDED), tmp_path / "run.json")
    jsonschema.validate(json.loads((tmp_path / "run.json").read_text()), schema())
    assert (tmp_path / "run.json").read_bytes() == RECORDED.read_bytes()


def test_the_schema_refuses_what_is_no_run() -> None:
    run = to_json(make_run([make_build("2.13.0")], [make_cell("2.13.0", "a.b")]))
    jsonschema.validate(json.loads(json.dumps(run)), schema())
    for name in run:
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate({key: value for key, value in run.items() if key != name}, schema())


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "run.json: "),
        ("[]", "Expected `object`"),
        ('{"schema_version": 3}', "missing required field"),
        (None, f"expected schema version {SCHEMA_VERSION}, not 3"),
    ],
)
def test_what_is_no_run_is_refused_in_one_line(text: str | None, said: str, tmp_path: Path) -> None:
    path = tmp_path / "run.json"
    save(replace(make_run([], []), schema_version=3), path)
    path.write_text(path.read_text() if text is None else text)
    with pytest.raises(UsageError, match=said) as caught:
        load(path)
    assert str(path) in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1
