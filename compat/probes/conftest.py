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
from compat.runs.signature import signature_of, unwrapped
from compat.topics.records import encode
from compat.worker import gpu
from compat.worker.isolation import RECORD, identity
from compat.worker.lifeline import die_with_parent
from compat.worker.machine import LackingError, trouble

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


class RaisedError(Exception):
    """A function raised in a new process.

    Attributes:
        kind: The type of what really broke, wrappers looked through.
        message: What it says, all of it.
        signature: See :mod:`compat.runs.signature`.
    """

    def __init__(self, kind: str, message: str, signature: str) -> None:
        super().__init__(kind, message, signature)
        self.kind = kind
        self.message = message
        self.signature = signature

    @classmethod
    def of(cls, error: Exception) -> RaisedError:
        broke = unwrapped(error)
        return cls(type(broke).__name__, str(broke).strip(), signature_of(broke))

    def __str__(self) -> str:
        return f"{self.kind}: {self.message}"


class DiedError(Exception):
    """A new process died before it returned anything; a signal's ``exit_code`` is negative."""

    def __init__(self, exit_code: int) -> None:
        super().__init__(exit_code)
        self.exit_code = exit_code

    def __str__(self) -> str:
        return f"the new process ended with {self.exit_code} before it answered"


class FreshProcess(Protocol):
    """Calls a function in a process that has compiled nothing and returns its result.

    Raises:
        RaisedError: The function raised.
        DiedError: The process died.
        LackingError: The function raised since the machine lacks something.
    """

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
def fresh_process(tmp_path: Path) -> Iterator[FreshProcess]:
    """A process forked before the probe begins, so that it shares nothing the probe compiles.

    Name it before any fixture that compiles. Forking keeps the torch that is imported already:
    a new interpreter would spend most of the probe's time on that import.
    """
    here, there = _FORK.Pipe()
    twin = _FORK.Process(target=_serve_forks, args=(there, tmp_path))
    twin.start()
    there.close()

    def call(function: Callable[..., Any], *args: Any) -> Any:
        here.send((function, args))
        result, error = here.recv()
        if error is not None:
            raise error
        return result

    yield call
    here.send(None)
    twin.join()


def _serve_forks(requests: Connection, folder: Path) -> None:
    """Fork once for each call, so that this process itself stays as it was."""
    die_with_parent()
    while request := requests.recv():
        here, there = _FORK.Pipe(duplex=False)
        child = _FORK.Process(target=_answer, args=(there, folder, *request))
        child.start()
        there.close()
        try:
            answer = here.recv()
        except EOFError:
            child.join()
            assert child.exitcode is not None
            answer = (None, DiedError(child.exitcode))
        requests.send(answer)
        child.join()


def _answer(
    connection: Connection, folder: Path, function: Callable[..., Any], args: tuple[Any, ...]
) -> None:
    """Send what a function that writes below ``folder`` returns, or what it raised."""
    die_with_parent()
    try:
        connection.send((function(*args), None))
    except Exception as error:  # noqa: BLE001  (it is handed on)
        lacking = trouble(folder, error)
        connection.send((None, LackingError(lacking) if lacking else RaisedError.of(error)))
