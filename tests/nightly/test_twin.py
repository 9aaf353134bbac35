"""A project's own suite by its workflow: nights on which it regresses, is fixed, and is awaited."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import replace

import pytest

from tests.builds.index_server import IndexServer, serve
from tests.fake_torch import name_of, wheel
from tests.nightly.test_workflows import make_fork
from tests.nightly.workflow import Repository
from tests.tracking.github_server import GitHubServer
from tests.tracking.github_server import serve as serve_github

STABLE = "2.14.0+cpu"
GOOD, BAD, MENDED = (f"2.16.0.dev202611{day}+cpu" for day in (20, 21, 22))

SUITE = f"""
import os

import torch

def test_regresses():
    assert torch.__version__ != {BAD!r}, "it is gone: @somebody #1"

def test_holds_no_token():
    assert not [name for name in os.environ if "TOKEN" in name]

def test_awaited():
    assert torch.__version__ not in ({STABLE!r}, {GOOD!r}, {BAD!r})
"""
AWAITS = """
[[await]]
subject = "suite-mine"
check = "suite.test[tests/test_it.py::test_awaited]"
issue = "https://github.com/pytorch/pytorch/issues/1"
remove = "tests/test_it.py:11"
"""


@pytest.fixture(scope="module")
def index() -> Iterator[IndexServer]:
    pages = {"/cpu": [name_of(STABLE)], "/nightly/cpu": [name_of(GOOD)]}
    files = {name_of(each): wheel(each) for each in (STABLE, GOOD, BAD, MENDED)}
    with serve(IndexServer(pages, files=files)) as server:
        server.pages = pages
        yield server


@pytest.fixture(scope="module")
def github() -> Iterator[GitHubServer]:
    with serve_github(GitHubServer()) as server:
        yield server


@pytest.fixture(scope="module")
def repository(
    index: IndexServer, github: GitHubServer, tmp_path_factory: pytest.TempPathFactory
) -> Repository:
    folder = tmp_path_factory.mktemp("twin")
    fork = make_fork(index, github, folder)
    caller = folder / "caller"
    (caller / "tests").mkdir(parents=True)
    (caller / "tests" / "test_it.py").write_text(SUITE)
    (caller / "awaits.toml").write_text(AWAITS)
    workspace = folder / "workspace"
    shutil.copytree(fork.checkout / ".github", workspace / ".github")
    return replace(fork, checkout=workspace, called=fork.checkout, caller=caller)


def night(repository: Repository, number: int, *, issue: bool = True) -> dict[str, str]:
    """Call the workflow; how each of its jobs ended."""
    repository.contexts["github"] |= {"run_id": f"{number}"}
    inputs = {
        "command": "pytest -q tests",
        "builds": "2.14 nightly",
        "name": "mine",
        "issue": issue,
    }
    needs = repository.go("twin.yml", inputs=inputs)
    return {name: job["result"] for name, job in needs.items()}


@pytest.mark.timeout(3600)
def test_nights(repository: Repository, index: IndexServer, github: GitHubServer) -> None:
    pages = dict(index.pages)
    index.pages = pages

    # All is well: no issue.
    assert night(repository, 1) == {"twin": "success", "issue": "success"}
    assert github.issues == []

    # One test regresses.
    pages["/nightly/cpu"] = [name_of(GOOD), name_of(BAD)]
    assert night(repository, 2, issue=False) == {"twin": "failure", "issue": "skipped"}
    assert github.issues == []
    assert night(repository, 3) == {"twin": "failure", "issue": "success"}
    (issue,) = github.issues
    assert issue["state"] == "open"
    assert "`suite.test[tests/test_it.py::test_regresses]`" in issue["body"]
    assert "--name mine -- pytest -q tests" in issue["body"]
    # What a suite says notifies nobody.
    assert "`AssertionError: it is gone: @somebody #1`" in issue["body"]
    run = json.loads((repository.store / "artifacts" / "twin" / "latest" / "run.json").read_text())
    failed = [cell["params"] for cell in run["cells"] if cell["outcome"] not in {"pass"}]
    assert {"test": "tests/test_it.py::test_holds_no_token"} not in failed

    # Mended, and closed; and what was awaited has come.
    pages["/nightly/cpu"] = [name_of(GOOD), name_of(BAD), name_of(MENDED)]
    assert night(repository, 4) == {"twin": "success", "issue": "success"}
    assert [each["state"] for each in github.issues] == ["closed"]
    (told,) = github.comments[issue["number"]]
    assert f"fixed in {MENDED}; remove tests/test_it.py:11" in told.replace("\\", "")

    # It is news once.
    assert night(repository, 5) == {"twin": "success", "issue": "success"}
    assert len(github.comments[issue["number"]]) == 1
