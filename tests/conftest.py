"""Runs for tests: small, made by hand, readable in a diff."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Generator, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from compat.builds.config import load_builds
from compat.builds.environment import Environment, install
from compat.builds.index import Indexes
from compat.builds.resolve import resolve
from compat.builds.spec import parse_spec
from compat.runs.ids import BuildId
from compat.runs.model import (
    SCHEMA_VERSION,
    Build,
    Cell,
    Device,
    Harness,
    Host,
    Outcome,
    Run,
    Source,
)
from compat.runs.stream import Stream
from compat.topics.records import encode

# The same examples each time; a busy machine is no reason to fail.
settings.register_profile("house", derandomize=True, deadline=None)
settings.load_profile("house")

# What installs a real build, starts a browser or runs a night; other slow tests say so themselves.
SLOW_FIXTURES = frozenset({"real_build", "browser", "repository"})
STARTS_A_PROCESS = frozenset({"subprocess.Popen", "os.posix_spawn", "os.fork"})

ROOT = Path(__file__).parents[1]
# A few cells of 2.10 to 2.13, as they were really seen.
RECORDED = ROOT / "tests" / "recorded" / "run.json"


# Modules that take minutes: they begin first, so that none is left alone at the end.
LONGEST = frozenset(
    f"test_{each}.py" for each in ("engine", "isolation", "repro", "sabotage", "workflows")
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: item.path.name not in LONGEST)
    for item in items:
        if isinstance(item, pytest.Function) and SLOW_FIXTURES.intersection(item.fixturenames):
            item.add_marker("slow")


class _NoProcesses:
    """Refuses processes while a fast test runs, so that nobody forgets to mark a slow one."""

    def __init__(self) -> None:
        self._fast = False
        sys.addaudithook(self._refuse)

    def _refuse(self, event: str, _: object) -> None:
        if self._fast and event in STARTS_A_PROCESS:
            pytest.fail("expected a test that starts a process to be marked slow")

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, bool, bool]:
        self._fast = item.get_closest_marker("slow") is None
        try:
            return (yield)
        finally:
            self._fast = False


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(_NoProcesses())


def build_id(name: str, device: str = "cpu") -> BuildId:
    """From a version, with its Python if it has one, and a device."""
    return BuildId(f"{name}-{device}")


def make_build(name: str, *, device: str = "cpu", **changes: Any) -> Build:
    values: dict[str, Any] = {
        "id": build_id(name, device),
        "aliases": (name,),
        "requested": name,
        "channel": "stable",
        "device": Device(kind=device, name="AVX2" if device == "cpu" else "H100"),
        "version": f"{name.partition('-py')[0]}+cu130",
    }
    return Build(**{**values, **changes})


def make_cell(
    build: str,
    probe: str,
    outcome: Outcome = Outcome.PASS,
    *,
    device: str = "cpu",
    record: object | None = None,
    raw: Mapping[str, Mapping[str, Any]] | None = None,
    **changes: Any,
) -> Cell:
    """A cell; ``record`` is what its probe recorded, ``raw`` the same as it stands on disk."""
    values: dict[str, Any] = {
        "build": build_id(build, device),
        "probe": probe,
        "params": {},
        "outcome": outcome,
        "record": raw if record is None else encode(probe, record),
        "seen_in": "" if outcome is Outcome.NOT_RUN else SOURCE.id,
    }
    return Cell(**{**values, **changes})


# What a worker writes of its build.
ENVIRONMENT = {
    "version": "2.13.0+cu130",
    "git_version": "abc",
    "triton": "3.7.1",
    "python": "3.11.7",
    "compiler": "g++ 12",
    "device": {"kind": "cpu", "name": "AVX2", "driver": None},
}
SOURCE = Source(
    id="2026-11-22T050000.000Z",
    started="2026-11-22T05:00:00+00:00",
    harness=Harness(version="0.1.0", commit="0123abc"),
    host=Host(system="Linux 6", machine="x86_64", cpu="a CPU", cores=2),
)


def make_run(builds: list[Build], cells: list[Cell]) -> Run:
    return Run(
        schema_version=SCHEMA_VERSION,
        sources=(SOURCE,),
        builds=tuple(builds),
        descriptions={cell.probe: f"What {cell.probe} asks." for cell in cells},
        cells=tuple(cells),
    )


def variables_inside(environment: Environment) -> dict[str, str]:
    """What a test sets to run this project's code in a build; it leaves no bytecode there."""
    return os.environ | {
        "PYTHONPATH": str(ROOT),
        "PYTHONPYCACHEPREFIX": str(environment.scratch / "bytecode"),
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
    }


def ask_worker(
    environment: Environment, stream: Stream, plugin: str, *options: str, **variables: str
) -> None:
    """Have a worker in a build ask its probes, changed by a plugin of pytest's."""
    temporary = environment.scratch / "tmp"
    temporary.mkdir(exist_ok=True)
    worker = subprocess.run(
        [
            *(str(environment.python), "-m", "compat.worker", "--stream", str(stream.path)),
            *("--jobs", "2", "--depth", "full", *options),
        ],
        capture_output=True,
        text=True,
        cwd=stream.path.parent,
        env={
            **variables_inside(environment),
            "PYTEST_PLUGINS": plugin,
            "TMPDIR": str(temporary),
            "TORCHINDUCTOR_CACHE_DIR": str(environment.scratch / "inductor"),
            "TORCHINDUCTOR_COMPILE_THREADS": "1",
            "OMP_NUM_THREADS": "2",
            **variables,
        },
        check=False,
    )
    assert worker.returncode == 0, worker.stdout + worker.stderr


@pytest.fixture(scope="session")
def real_build() -> Callable[[str], Environment]:
    """Installs a released build below the project's own .compat, once for all sessions."""

    def environment(spec: str) -> Environment:
        file = load_builds()
        indexes = Indexes(file.pytorch_index, file.timeout_s)
        (found,) = resolve([parse_spec(spec)], indexes, "cpu")
        assert found.wheel is not None, found.problem
        return install(found.wheel, ROOT / ".compat" / "environments")

    return environment
