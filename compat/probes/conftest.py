"""Fixtures that every probe may ask for."""

from __future__ import annotations

import json
import multiprocessing
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Protocol

import pytest

from compat.interface.features import FEATURES
from compat.runs.model import SAVED_BY
from compat.runs.signature import unwrapped
from compat.topics.records import encode
from compat.worker import gpu
from compat.worker.isolation import RECORD, identity
from compat.worker.lifeline import die_with_parent
from compat.worker.machine import LackingError

_FORK = multiprocessing.get_context("fork")


class Record(Protocol):
    """Leaves what a probe found out in its cell; the last one counts.

    Raises:
        WrongRecordError: It is not of the type that the probe's topic expects.
    """

    def __call__(self, record: object) -> None: ...


class Require(Protocol):
    """Ends a probe as ``unsupported`` where the build lacks a feature."""

    def __call__(self, feature: str) -> None: ...


class FreshProcess(Protocol):
    """Calls a function in a process that has compiled nothing and returns its result."""

    def __call__(self, function: Callable[..., Any], *args: Any) -> Any: ...


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--device", choices=["cpu", "cuda"], default="cpu")
    parser.addoption("--artifacts", type=Path)
    parser.addoption("--others", type=Path)
    parser.addoption("--packages", type=Path)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if SAVED_BY in metafunc.fixturenames:
        others = metafunc.config.getoption("--others")
        metafunc.parametrize(SAVED_BY, json.loads(others.read_text()) if others else [])


@pytest.fixture
def artifacts(request: pytest.FixtureRequest) -> Path:
    """Where this build keeps what it saves for other builds."""
    folder: Path = request.config.getoption("--artifacts")
    return folder


@pytest.fixture
def saved_artifacts(request: pytest.FixtureRequest, saved_by: str) -> Path:
    """Where the build ``saved_by`` has kept what it saved."""
    others = request.config.getoption("--others")
    return Path(json.loads(others.read_text())[saved_by])


@pytest.fixture(autouse=True)
def _usable_device(request: pytest.FixtureRequest) -> None:
    """Nothing passes for CUDA without a GPU, also what would not use it.

    CUDA is not initialised in this process: probes fork further ones.
    """
    if request.config.getoption("--device") == "cuda" and (problem := gpu.ask_torch().problem):
        if gpu.gpu_is_there():
            raise LackingError(f"torch cannot use the GPU: {problem}")
        pytest.skip("this machine has no NVIDIA GPU")


@pytest.fixture
def device(request: pytest.FixtureRequest) -> str:
    """``cpu`` or ``cuda``."""
    kind: str = request.config.getoption("--device")
    return kind


@pytest.fixture
def record(request: pytest.FixtureRequest) -> Record:
    def leave(record: object) -> None:
        request.node.stash[RECORD] = encode(identity(request.node)["probe"], record)

    return leave


@pytest.fixture
def require(request: pytest.FixtureRequest) -> Require:
    def require_feature(feature: str) -> None:
        if not FEATURES[feature].capability():
            request.node.unsupported = f"this build has no {feature}"
            pytest.skip(request.node.unsupported)

    return require_feature


@pytest.fixture
def fresh_process() -> Iterator[FreshProcess]:
    """A process forked before the probe begins, so that it shares nothing the probe compiles.

    Name it before any fixture that compiles. Forking keeps the torch that is imported already:
    a new interpreter would spend most of the probe's time on that import.
    """
    here, there = _FORK.Pipe()
    twin = _FORK.Process(target=_serve_forks, args=(there,))
    twin.start()
    there.close()

    def call(function: Callable[..., Any], *args: Any) -> Any:
        here.send((function, args))
        ok, result = here.recv()
        if not ok:
            raise RuntimeError(result)
        return result

    yield call
    here.send(None)
    twin.join()


def _serve_forks(requests: Connection) -> None:
    """Fork once for each call, so that this process itself stays as it was."""
    die_with_parent()
    while request := requests.recv():
        here, there = _FORK.Pipe(duplex=False)
        child = _FORK.Process(target=_answer, args=(there, *request))
        child.start()
        there.close()
        try:
            answer = here.recv()
        except EOFError:
            child.join()
            answer = (False, f"the new process ended with {child.exitcode} before it answered")
        requests.send(answer)
        child.join()


def _answer(connection: Connection, function: Callable[..., Any], args: tuple[Any, ...]) -> None:
    die_with_parent()
    try:
        connection.send((True, function(*args)))
    except Exception as error:  # noqa: BLE001  (it is handed on)
        broke = unwrapped(error)
        connection.send((False, f"{type(broke).__name__}: {broke}"))
