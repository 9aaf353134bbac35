"""The nightly matrix and a bisection from their workflows, without GitHub and without a torch."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from datetime import date, timedelta

import pytest
import yaml

from compat.runs.model import Outcome
from compat.runs.store import load
from tests.builds.index_server import IndexServer, serve
from tests.conftest import ROOT
from tests.fake_torch import NO_OPTIONS, WHOLE, commit_of, name_of, wheel
from tests.workflow import Repository

STABLE, CANDIDATE = "2.14.0+cpu", "2.15.0rc1+cpu"
CHECK = "surface.name[torch._inductor:standalone_compile]"

DAYS = [date(2025, 12, 1) + timedelta(days) for days in range(365)]
NIGHTLIES = [f"2.16.0.dev{day:%Y%m%d}+cpu" for day in DAYS]
# The one that a bisection asks first, and a neighbour, are no wheels at all.
BROKEN = NIGHTLIES[182:184]
FIRST_BAD = 240


@pytest.fixture(scope="module")
def index() -> Iterator[IndexServer]:
    """A year of nightlies, one release candidate and one release."""
    channels = {"/nightly/cpu": NIGHTLIES, "/test/cpu": [CANDIDATE], "/cpu": [STABLE]}
    files = {
        name_of(version): wheel(version, NO_OPTIONS if version in NIGHTLIES[FIRST_BAD:] else WHOLE)
        for versions in channels.values()
        for version in versions
        if version not in BROKEN
    }
    files |= {name_of(BROKEN[0]): b"no wheel"}
    pages = {page: [name_of(each) for each in versions] for page, versions in channels.items()}
    with serve(IndexServer(pages, files=files)) as server:
        yield server


@pytest.fixture(scope="module")
def repository(index: IndexServer, tmp_path_factory: pytest.TempPathFactory) -> Repository:
    """A fork that lists three builds and has set nothing."""
    folder = tmp_path_factory.mktemp("github")
    checkout = folder / "checkout"
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True)
    for name in listed.stdout.splitlines():
        if not name.startswith("reports/") and (ROOT / name).exists():
            (checkout / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, checkout / name)
    (checkout / "compat" / "builds" / "builds.toml").write_text(
        'builds = ["2.14", "2.15.rc", "nightly"]\n'
        f'[index]\npytorch = "{index.address}"\ntimeout_s = 30\n'
    )
    subprocess.run([sys.executable, "-m", "venv", folder / "python"], check=True)
    path = f"{folder / 'python' / 'bin'}{os.pathsep}{os.environ['PATH']}"
    (folder / "store").mkdir()
    return Repository(checkout, folder / "store", path)


def test_steps_are_sessions_and_actions_are_pinned() -> None:
    """What a workflow does can be done on any machine, and no text of others is in a command."""
    sessions = set(
        re.findall(r"^def (\w+)\(session", (ROOT / "noxfile.py").read_text(), re.MULTILINE)
    )
    for file in (ROOT / ".github" / "workflows").glob("*.yml"):
        text = file.read_text()
        for action in re.findall(r"uses: (.*)", text):
            assert re.fullmatch(r"[\w/-]+@[0-9a-f]{40} # v[\d.]+", action), action
        workflow = yaml.safe_load(text)
        assert workflow["permissions"] == {}
        for name, job in workflow["jobs"].items():
            assert {"timeout-minutes", "permissions"} <= job.keys(), name
            for step in job["steps"]:
                line = step.get("run", 'python -m pip install "nox[uv]"')
                session = re.match(r"nox -s (\w+)", line)
                assert "${{" not in line
                assert line in {"bash .ci/run", 'python -m pip install "nox[uv]"'} or (
                    session is not None and session[1] in sessions
                ), line


def test_two_nights(repository: Repository) -> None:
    """Stable, candidate and nightly together; the second night asks only what is not known."""
    planned, outputs = repository.run("matrix.yml", "plan")
    assert planned
    jobs = json.loads(outputs["jobs"])
    assert [job["id"] for job in jobs] == [
        f"{each}-cpu" for each in (STABLE, CANDIDATE, NIGHTLIES[-1])
    ]
    assert {job["runner"] for job in jobs} == {"ubuntu-24.04"}
    for job in jobs:
        # The candidate's job never gets a runner.
        if job["id"] != f"{CANDIDATE}-cpu":
            probed, _ = repository.run("matrix.yml", "probe", matrix={"job": job})
            assert probed, job["id"]

    reported, _ = repository.run("matrix.yml", "report")
    assert not reported, "the nightly took a parameter away"
    reports = repository.checkout / "reports"
    run = load(reports / "latest" / "run.json")
    bad = [cell.id for cell in run.cells if cell.outcome is Outcome.FAIL]
    assert bad == [f"{CHECK}@{NIGHTLIES[-1]}-cpu"]
    ran = {cell.build for cell in run.cells if cell.outcome is not Outcome.NOT_RUN}
    assert ran == {STABLE, NIGHTLIES[-1]}
    text = (reports / "README.md").read_text()
    assert "**2.15.rc: not run.** its job left nothing: it got no runner" in text
    assert "**all\\-builds cuda: not run.** no GPU runner configured." in text

    planned, outputs = repository.run("matrix.yml", "plan")
    assert [job["id"] for job in json.loads(outputs["jobs"])] == [f"{CANDIDATE}-cpu"]
    # Without the cache, what the first night published says the same.
    shutil.rmtree(repository.store / "cache")
    assert repository.run("matrix.yml", "plan") == (planned, outputs)

    shutil.rmtree(repository.store / "artifacts")
    shutil.copytree(
        repository.checkout / ".compat" / "plan", repository.store / "artifacts" / "plan"
    )
    repository.run("matrix.yml", "report")
    again = load(reports / "latest" / "run.json")
    assert (again.builds, again.cells) == (run.builds, run.cells)
    assert {each.id for each in again.sources} == {each.id for each in run.sources}


@pytest.mark.timeout(1800)
def test_a_year_of_nightlies(repository: Repository) -> None:
    """The first bad nightly of 365 and the commits, past two that cannot be installed."""
    inputs = {
        "probe": CHECK,
        "good": f"nightly:{DAYS[0]:%Y%m%d}",
        "bad": f"nightly:{DAYS[-1]:%Y%m%d}",
        "device": "cpu",
    }
    found, _ = repository.run("bisect.yml", "bisect", inputs=inputs)
    assert found
    text = (repository.checkout / "reports" / "bisect.md").read_text().replace("\\", "")
    assert f"on cpu: since {NIGHTLIES[FIRST_BAD]}.**" in text
    assert f"{commit_of(NIGHTLIES[FIRST_BAD - 1])}...{commit_of(NIGHTLIES[FIRST_BAD])}" in text
    assert f"- {BROKEN[0]}: skipped, could not be installed" in text
    asked = text.partition("Asked, oldest first:")[2].count("\n- ")
    assert asked <= 14
    environments = repository.checkout / ".compat" / "bisect" / "environments"
    assert not environments.exists(), "a bisection leaves no environments"
