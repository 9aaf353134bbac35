"""A pytest plugin that runs every probe in a process of its own, forked from a warm parent.

The parent imports torch once; each probe runs in a fork of it, see :mod:`compat.worker.jobs`, and
reports its cell through a pipe.
"""

from __future__ import annotations

import gc
import re
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from time import perf_counter
from typing import Any

import pytest

from compat.runs.ids import CheckId
from compat.runs.model import Outcome
from compat.runs.signature import signature_of, unwrapped
from compat.runs.stream import Stream
from compat.worker.jobs import LOG_TAIL, Isolation, Job, Limits
from compat.worker.machine import trouble
from compat.worker.phases import PROBE
from compat.worker.stopwatch import COMPILING, count_from_here, spent

# Where packages, and this one, lie on the machine that runs.
_WHERE = re.compile(r"[^\s'\"()\[\],=]*/(?:site-packages/|source/(?=compat/))")

# Where a probe leaves what it found out, as JSON values.
RECORD: pytest.StashKey[dict[str, Any]] = pytest.StashKey()


class _Probe(Job):
    """A probe that runs.

    Args:
        item: What pytest calls it.
        stream: Takes the cell.
    """

    def __init__(self, item: pytest.Item, stream: Stream) -> None:
        self._item = item
        self._stream = stream

    @property
    def name(self) -> str:
        return self._item.name

    @property
    def alone(self) -> bool:
        """Whether what runs beside it would change what it measures: on a GPU alone."""
        on_gpu = self._item.config.getoption("--device") == "cuda"
        return on_gpu and self._item.get_closest_marker("alone") is not None

    def run(self, scratch: Path) -> dict[str, Any]:
        item = self._item
        item.config._tmp_path_factory._basetemp = scratch / "tmp"  # type: ignore[attr-defined]
        (scratch / "tmp").mkdir()
        witness = _Witness(scratch)
        item.config.pluginmanager.register(witness)
        started = perf_counter()
        item.config.hook.pytest_runtest_protocol(item=item, nextitem=None)
        return {
            **witness.outcome(item),
            "duration_s": round(perf_counter() - started, 3),
            "compile_s": round(COMPILING.seconds, 3),
            "spent": spent(),
            "record": item.stash.get(RECORD, None),
        }

    def got_on(self) -> bool:
        return False

    def ended(self, outcome: dict[str, Any]) -> Sequence[Job]:
        self._stream.append("cell", identity(self._item) | outcome)
        return ()


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
        pending = [
            _Probe(item, self._stream) for item in session.items if check_of(item) not in self._skip
        ]
        if pending:
            with self._stream.timed(self._phase):
                self._prepare()
                # A collection in a fork would copy all that the parent has made.
                gc.freeze()
                count_from_here()
            together = [each for each in pending if not each.alone]
            alone = [each for each in pending if each.alone]
            with self._stream.timed(PROBE):
                Isolation(self._scratch, self._jobs, self._limits).run(together)
                Isolation(self._scratch, 1, self._limits).run(alone)
        return True


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
            "message": _message(report.longreprtext),
        }


def _message(text: str) -> str:
    """The end of what pytest says, with paths that begin at the package: of any machine."""
    return _WHERE.sub("", text[-2 * LOG_TAIL :])[-LOG_TAIL:]


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
