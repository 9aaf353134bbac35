"""A pytest plugin that runs every probe in a process of its own, forked from a warm parent.

The parent imports torch once; each probe runs in a fork of it, with
caches of its own, and reports its cell through a pipe. So what a probe does to torch's globals,
config, caches or environment ends with its process, and a crash or a hang costs one cell.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import shutil
import signal
from collections import deque
from collections.abc import Callable, Collection
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from time import monotonic, perf_counter
from typing import Any

import pytest

from compat.runs.ids import CheckId
from compat.runs.model import Outcome
from compat.runs.signature import signature_of, unwrapped
from compat.runs.stream import Stream
from compat.worker.lifeline import be_first_to_go, die_with_parent
from compat.worker.machine import trouble
from compat.worker.patience import Bounds, Patience
from compat.worker.phases import PROBE
from compat.worker.processes import Family, processes
from compat.worker.stacks import answer, ask
from compat.worker.stopwatch import COMPILING

# Where a probe leaves what it found out, as JSON values.
RECORD: pytest.StashKey[dict[str, Any]] = pytest.StashKey()

_FORK = multiprocessing.get_context("fork")

# How long a process may go on after it was asked for its stacks, and after it reported.
_GRACE_S = 10.0
# How often processes are looked at. One fills a few GB of memory, or of its log, a second at most.
_WATCH_S = 0.25
_LOG_TAIL = 4000
_MOST_LOG_B = 64 << 20
_GB = 1 << 30


@dataclass
class _Child:
    item: pytest.Item
    process: BaseProcess
    connection: Connection
    scratch: Path
    started: float
    patience: Patience
    doomed: _Doomed | None = None

    @property
    def log(self) -> Path:
        return self.scratch / "log"


@dataclass
class _Doomed:
    """A process that is to end, for a reason, as soon as it has told its stacks."""

    reason: str
    since: float
    log_b: int
    stacks: str = ""


@dataclass(frozen=True)
class Limits:
    """What a probe may take: time, and memory of it and all the processes it starts."""

    bounds: Bounds
    memory_gb: float


class IsolatedRun:
    """Replaces pytest's run loop.

    Args:
        stream: Takes the planned cells first, then each outcome as it comes.
        scratch: An empty folder for caches and logs of the probes.
        jobs: How many probes run side by side.
        limits: What each of them may take.
        skip: Checks that are planned and not run: how they end is known.
        prepare: Called once before the first probe, if there is one,
        phase: which is this phase of the worker.
    """

    def __init__(
        self,
        stream: Stream,
        scratch: Path,
        jobs: int,
        limits: Limits,
        skip: Collection[str],
        prepare: Callable[[], None],
        phase: str,
    ) -> None:
        self._stream = stream
        self._scratch = scratch
        self._jobs = jobs
        self._limits = limits
        self._skip = skip
        self._prepare = prepare
        self._phase = phase

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        plan = [
            {**identity(item), "description": _description(item), "node": item.nodeid}
            for item in session.items
        ]
        self._stream.append("plan", *plan)
        pending = deque(
            (number, item)
            for number, item in enumerate(session.items)
            if check_of(item) not in self._skip
        )
        if pending:
            with self._stream.timed(self._phase):
                self._prepare()
            with self._stream.timed(PROBE):
                self._run(pending)
        return True

    def _run(self, pending: deque[tuple[int, pytest.Item]]) -> None:
        running: dict[int, _Child] = {}
        while pending or running:
            while pending and len(running) < self._jobs:
                number, item = pending.popleft()
                child = self._start(item, self._scratch / f"{number:04}")
                running[child.process.sentinel] = child
            # Woken by a report or by the end of a process, whichever comes first.
            reports = [child.connection for child in running.values() if child.doomed is None]
            wait([*running, *reports], timeout=_WATCH_S)
            everyone = processes()
            for sentinel, child in list(running.items()):
                outcome = self._collect(child, Family.of(_pid(child.process), everyone))
                if outcome is not None:
                    del running[sentinel]
                    self._stream.append("cell", identity(child.item) | outcome)
                    shutil.rmtree(child.scratch, ignore_errors=True)

    def _start(self, item: pytest.Item, scratch: Path) -> _Child:
        scratch.mkdir()
        (scratch / "log").touch()
        here, there = _FORK.Pipe(duplex=False)
        process = _FORK.Process(
            target=_run_probe,
            args=(item, there, scratch),
            name=item.name,
        )
        process.start()
        there.close()
        now = monotonic()
        return _Child(item, process, here, scratch, now, Patience(self._limits.bounds, now))

    def _collect(self, child: _Child, family: Family) -> dict[str, Any] | None:
        """What became of a probe, or None while it is still running."""
        elapsed = monotonic() - child.started
        # A probe may have removed it.
        log_b = child.log.stat().st_size if child.log.exists() else 0
        if child.doomed is not None:
            if not _has_told(child, child.doomed):
                return None
            outcome: dict[str, Any] = {
                "outcome": Outcome.TIMEOUT,
                "reason": child.doomed.reason,
                "message": child.doomed.stacks[:_LOG_TAIL],
            }
        elif child.connection.poll():
            try:
                outcome = child.connection.recv()
            except EOFError:
                child.process.join(_GRACE_S)
                outcome = self._post_mortem(child)
        elif not child.process.is_alive():
            outcome = self._post_mortem(child)
        elif family.memory_b() > self._limits.memory_gb * _GB:
            outcome = {
                "outcome": Outcome.CRASH,
                "reason": f"used more than {self._limits.memory_gb:g} GB of memory",
            }
        elif log_b > _MOST_LOG_B:
            outcome = {
                "outcome": Outcome.CRASH,
                "reason": f"wrote more than {_MOST_LOG_B >> 20} MB of output",
                "message": _tail(child.log),
            }
        elif reason := child.patience.verdict(monotonic(), family.processor_s):
            child.doomed = _Doomed(reason, monotonic(), log_b)
            ask(_pid(child.process))
            return None
        else:
            return None
        child.process.join(_GRACE_S if "duration_s" in outcome else 0)
        _kill_family(child.process)
        return {"duration_s": round(elapsed, 3), **outcome}

    def _post_mortem(self, child: _Child) -> dict[str, Any]:
        """The outcome of a process that ended without a report."""
        if lacking := trouble(self._scratch):
            return {"outcome": Outcome.NOT_RUN, "reason": lacking}
        status = child.process.exitcode or 0
        how = (
            f"killed by {signal.Signals(-status).name}"
            if status < 0
            else f"ended with status {status} before it reported"
        )
        return {"outcome": Outcome.CRASH, "reason": how, "message": _tail(child.log)}


def _has_told(child: _Child, doomed: _Doomed) -> bool:
    """Whether a probe that was asked for its stacks told all of them, or never will."""
    before, doomed.stacks = doomed.stacks, answer(child.log, doomed.log_b)
    whole = doomed.stacks != "" and doomed.stacks == before
    return whole or not child.process.is_alive() or monotonic() > doomed.since + _GRACE_S


def _tail(log: Path) -> str:
    """The end of what a probe wrote."""
    if not log.exists():
        return ""
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - _LOG_TAIL))
        return file.read().decode(errors="replace")


def _run_probe(item: pytest.Item, connection: Connection, scratch: Path) -> None:
    """The body of a probe's process."""
    os.setpgrp()
    die_with_parent()
    be_first_to_go()
    with (scratch / "log").open("w") as log:
        os.dup2(log.fileno(), 1)
        os.dup2(log.fileno(), 2)
    keep_caches_below(scratch)
    item.config._tmp_path_factory._basetemp = scratch / "tmp"  # type: ignore[attr-defined]
    (scratch / "tmp").mkdir()
    witness = _Witness(scratch)
    item.config.pluginmanager.register(witness)
    started = perf_counter()
    item.config.hook.pytest_runtest_protocol(item=item, nextitem=None)
    outcome = {
        **witness.outcome(item),
        "duration_s": round(perf_counter() - started, 3),
        "compile_s": round(COMPILING.seconds, 3),
        "record": item.stash.get(RECORD, None),
    }
    connection.send(outcome)


def keep_caches_below(folder: Path) -> None:
    """Have torch and Triton write what they compile below ``folder``."""
    os.environ["TORCHINDUCTOR_CACHE_DIR"] = str(folder / "inductor")
    os.environ["TRITON_CACHE_DIR"] = str(folder / "triton")


class _Witness:
    """Remembers the first phase of a probe that did not simply pass.

    Args:
        scratch: Where the probe writes.
    """

    def __init__(self, scratch: Path) -> None:
        self._scratch = scratch
        self._failure: tuple[BaseException, pytest.TestReport] | None = None
        self._lacking = ""

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, item: pytest.Item, call: pytest.CallInfo[None]) -> Any:
        report = yield
        if call.excinfo is not None and self._failure is None:
            self._failure = (call.excinfo.value, report)
            # Now, before what the probe wrote is cleaned away.
            self._lacking = trouble(self._scratch, call.excinfo.value)
        return report

    def outcome(self, item: pytest.Item) -> dict[str, Any]:
        if self._failure is None:
            return {"outcome": Outcome.PASS}
        error, report = self._failure
        text = str(unwrapped(error)).strip()
        reason = text.splitlines()[0] if text else type(unwrapped(error)).__name__
        if isinstance(error, pytest.skip.Exception):
            unsupported = hasattr(item, "unsupported")
            return {
                "outcome": Outcome.UNSUPPORTED if unsupported else Outcome.SKIP,
                "reason": reason,
            }
        if self._lacking:
            return {"outcome": Outcome.NOT_RUN, "reason": self._lacking}
        asserted = isinstance(error, (AssertionError, pytest.fail.Exception))
        return {
            "outcome": Outcome.FAIL if asserted and _is_ours(error) else Outcome.ERROR,
            "reason": reason,
            "signature": signature_of(error),
            "message": report.longreprtext[-_LOG_TAIL:],
        }


def _is_ours(error: BaseException) -> bool:
    """Whether a probe raised ``error`` itself: an assertion inside torch is not a verdict."""
    traceback = error.__traceback__
    while traceback is not None and traceback.tb_next is not None:
        traceback = traceback.tb_next
    module = traceback.tb_frame.f_globals.get("__name__", "") if traceback else ""
    return not module.startswith("torch")


def identity(item: pytest.Item) -> dict[str, Any]:
    """The ``probe`` and ``params`` of a cell, from the test that is to fill it."""
    family = item.path.stem.removeprefix("test_")
    name = item.originalname.removeprefix("test_")  # type: ignore[attr-defined]
    params = item.callspec.params if hasattr(item, "callspec") else {}
    # In the order of the test's arguments, not in the one in which pytest stacks decorators.
    arguments = [*item._fixtureinfo.argnames, *params]  # type: ignore[attr-defined]
    ordered = dict.fromkeys(each for each in arguments if each in params)
    return {
        "probe": f"{family}.{name}",
        "params": {each: str(params[each]) for each in ordered},
    }


def check_of(item: pytest.Item) -> CheckId:
    """The check that a test asks."""
    return CheckId.of(**identity(item))


def _description(item: pytest.Item) -> str:
    function: Callable[..., Any] = item.obj  # type: ignore[attr-defined]
    return (function.__doc__ or "").strip().partition("\n")[0]


def _pid(process: BaseProcess) -> int:
    assert process.pid is not None
    return process.pid


def _kill_family(process: BaseProcess) -> None:
    """End a probe's process and what it left running."""
    Family.of(_pid(process), processes()).kill()
    with contextlib.suppress(ProcessLookupError):
        # What was started meanwhile.
        os.killpg(_pid(process), signal.SIGKILL)
    process.kill()
    process.join()
