"""On a GPU what measures time runs after all else, with nothing beside it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from compat.runs.stream import Stream
from compat.worker import isolation
from compat.worker.isolation import IsolatedRun
from compat.worker.jobs import Job, Limits
from compat.worker.patience import Bounds

MODULE = """
import pytest

@pytest.mark.alone
def test_time(): pass

def test_other(): pass

@pytest.mark.alone
def test_more_time(): pass
"""
CONFTEST = """
def pytest_addoption(parser):
    parser.addoption("--device", default="cpu")
"""


@pytest.mark.parametrize(
    ("device", "runs"),
    [
        ("cuda", [(4, ["test_other"]), (1, ["test_time", "test_more_time"])]),
        ("cpu", [(4, ["test_time", "test_other", "test_more_time"]), (1, [])]),
    ],
)
def test_what_is_marked_runs_last_and_by_itself(
    device: str, runs: list[Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[int, list[str]]] = []

    class Isolation:
        def __init__(self, scratch: Path, jobs: int, limits: Limits) -> None:
            self._jobs = jobs

        def run(self, jobs: Iterable[Job]) -> None:
            seen.append((self._jobs, [each.name for each in jobs]))

    monkeypatch.setattr(isolation, "Isolation", Isolation)
    (tmp_path / "test_times.py").write_text(MODULE)
    (tmp_path / "conftest.py").write_text(CONFTEST)
    (tmp_path / "pytest.ini").write_text("[pytest]\nmarkers = alone: one at a time\n")
    limits = Limits(Bounds.of(1), 1)
    stream = Stream(tmp_path / "stream.jsonl")
    run = IsolatedRun(stream, tmp_path, 4, limits, set(), lambda: None, "warm up")
    options = [
        "-q",
        "--import-mode=importlib",
        "-p",
        "no:cacheprovider",
        f"--rootdir={tmp_path}",
        f"--device={device}",
    ]
    assert pytest.main([str(tmp_path), *options], plugins=[run]) == 0
    assert seen == runs
