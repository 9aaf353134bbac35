"""A pytest plugin that is given to a suite: says, as data, what it collects and how each test ends.

The standard library and pytest only; it runs beside whatever the suite brings, also pytest-xdist.
A line of JSON is appended to ``COMPAT_TOLD`` for each event; ``COMPAT_LEFT_OUT`` is a file with
the ids that are not to be run, and with texts of which a test's id has to have one.
"""

from __future__ import annotations

import json
import os
import traceback
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

_TOLD = os.environ["COMPAT_TOLD"]
_TAIL = 4000


def _say(**event: Any) -> None:
    # One write: a process that dies in it leaves a line that is cut short, and no mixed ones.
    line = json.dumps(event) + "\n"
    descriptor = os.open(_TOLD, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    try:
        os.write(descriptor, line.encode(errors="replace"))
    finally:
        os.close(descriptor)


def _raised(error: BaseException) -> dict[str, Any]:
    """What really broke, and where in torch."""
    while isinstance(inner := getattr(error, "inner_exception", None), BaseException):
        error = inner
    if isinstance(error, pytest.Collector.CollectError):
        # Of a module that cannot be imported pytest says only that.
        error = error.__cause__ or error.__context__ or error
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
    modules = [str(frame.f_globals.get("__name__", "")) for frame in frames]
    torch = [n for n, module in enumerate(modules) if module.partition(".")[0] == "torch"]
    return {
        "raised": type(error).__name__,
        "message": str(error),
        "frame": f"{modules[torch[-1]]}:{frames[torch[-1]].f_code.co_name}" if torch else "",
        "by_torch": bool(torch) and torch[-1] == len(frames) - 1,
        "asserted": isinstance(error, (AssertionError, pytest.fail.Exception)),
    }


class Told:
    """What one pytest process tells; with pytest-xdist the one that hands out the tests."""

    def __init__(self, config: pytest.Config) -> None:
        self._speaks = not hasattr(config, "workerinput")
        chosen = json.loads(Path(os.environ["COMPAT_LEFT_OUT"]).read_text(encoding="utf-8"))
        self._done, self._texts = set(chosen["done"]), chosen["texts"]
        self._reports: dict[str, list[pytest.TestReport]] = {}

    def _wanted(self, test: str) -> bool:
        return not self._texts or any(text in f"suite.test[{test}]" for text in self._texts)

    @pytest.hookimpl(wrapper=True)
    def pytest_make_collect_report(
        self, collector: pytest.Collector
    ) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
        report = yield
        if isinstance(collector, pytest.File) and self._speaks:
            call = getattr(report, "call", None)
            excinfo = getattr(call, "excinfo", None)
            # A whole file that is skipped is not one that is broken.
            failed = {} if report.outcome != "failed" or excinfo is None else _raised(excinfo.value)
            _say(
                file=report.nodeid,
                outcome=report.outcome,
                text=str(report.longrepr or "")[-_TAIL:],
                **failed,
            )
        return report

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(
        self, config: pytest.Config, items: list[pytest.Item]
    ) -> None:
        wanted = [item for item in items if self._wanted(item.nodeid)]
        if self._speaks:
            _say(plan=[item.nodeid for item in wanted])
        left = [item for item in wanted if item.nodeid not in self._done]
        if len(left) < len(items):
            kept = set(left)
            config.hook.pytest_deselected(items=[item for item in items if item not in kept])
            items[:] = left

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, node: object, ids: list[str]) -> None:
        _say(plan=[*ids])

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        report = yield
        if call.excinfo is not None:
            # An attribute of plain data travels with the report from process to process.
            report.compat_raised = _raised(call.excinfo.value)  # type: ignore[attr-defined]
        return report

    def pytest_runtest_logstart(self, nodeid: str, location: object) -> None:
        if self._speaks:
            _say(begin=nodeid)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if self._speaks:
            self._reports.setdefault(report.nodeid, []).append(report)

    def pytest_runtest_logfinish(self, nodeid: str, location: object) -> None:
        if self._speaks:
            reports = self._reports.pop(nodeid, [])
            # Of a test that a plugin runs again, the last time counts.
            again = [
                number for number, report in enumerate(reports) if str(report.outcome) == "rerun"
            ]
            reports = reports[again[-1] + 1 :] if again else reports
            bad = [report for report in reports if report.outcome != "passed"]
            said = bad[0] if bad else None
            _say(
                end=nodeid,
                outcome=_ended(said),
                text="" if said is None else _text(said),
                seconds=sum(report.duration for report in reports),
                **(getattr(said, "compat_raised", None) or {}),
            )


def _ended(report: pytest.TestReport | None) -> str:
    if report is None:
        return "passed"
    return "xfailed" if hasattr(report, "wasxfail") else report.outcome


def _text(report: pytest.TestReport) -> str:
    if isinstance(report.longrepr, tuple):
        return str(report.longrepr[2])
    return report.longreprtext[-_TAIL:]


def pytest_configure(config: pytest.Config) -> None:
    # A file that cannot be imported costs its own tests, and so does a test that fails.
    config.option.continue_on_collection_errors = True
    config.option.maxfail = 0
    config.pluginmanager.register(Told(config), "compat_told_events")
