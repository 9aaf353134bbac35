"""Collects the checks of a command that a user brought, and runs it as probes are run.

A script, or any other program, is one check. Of a suite for pytest each test is one, and so is each
of its files, which can be imported or not; of another runner each case of its JUnit file is one.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any

from compat.runs.model import Outcome
from compat.runs.signature import normalise
from compat.runs.stream import Stream
from compat.worker.jobs import LOG_TAIL, Isolation, Job, Limits
from compat.worker.machine import trouble
from compat.worker.phases import PROBE

# What runs a command that is neither pytest nor leaves a JUnit file, and how its check is called.
SCRIPT, PYTEST, JUNIT = "script", "pytest", "junit"
COLLECTORS = (SCRIPT, PYTEST, JUNIT)

_DESCRIPTIONS = {
    "suite.command": "The command as a whole: it passes with exit status 0; 125 says nothing.",
    "suite.test": "A test of the suite, called as its runner calls it.",
    "suite.collected": "Whether a file of tests can be imported.",
}
# The exit status with which a script says that it cannot tell, as for git bisect.
CANNOT_TELL = 125
_GIVEN = Path(__file__).with_name("given")
_LARGEST_JUNIT_B = 64 << 20
# pytest ran all that it was to run: none failed, some did, or there were none.
_WHOLE = {0, 1, 5}
# Each is the harness's own business, or a fault of it where the command is concerned.
_NOT_GIVEN = ("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "PYTORCH_NVML_BASED_CUDA_CHECK")


@dataclass(frozen=True)
class Command:
    """What is run in a build.

    Attributes:
        collector: One of :data:`COLLECTORS`.
        words: As typed; of ``python`` and ``pytest`` the build's own are run.
        folder: Where it is run.
        path: Folders that it imports from before it looks into the build's environment,
        beside: and those after that.
        signature: If there is one, only a failure with this text in it counts as one.
        junit: The file that it leaves, in its folder.
        texts: Only checks that have one of these in them, if there are any.
    """

    collector: str
    words: tuple[str, ...]
    folder: str
    path: tuple[str, ...] = ()
    beside: tuple[str, ...] = ()
    signature: str = ""
    junit: str = ""
    texts: tuple[str, ...] = ()

    @property
    def check(self) -> dict[str, Any]:
        """What the command as a whole is called."""
        words = self.words[1:] if self.words[0].startswith("python") else self.words
        return _named("suite.command", "command", " ".join(words) or self.words[0])


def read_command(path: Path, texts: Sequence[str]) -> Command:
    """What the harness wrote."""
    data: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    data |= {name: tuple(data[name]) for name in ("words", "path", "beside")}
    return Command(**data, texts=tuple(texts))


def run_command(
    command: Command, stream: Stream, scratch: Path, limits: Limits, skip: Set[str]
) -> int:
    """Run a command and append its checks to ``stream``; 0 if it came to its end."""
    brought: _Suite | _Program
    if command.collector == PYTEST:
        brought = _Suite(command, stream, scratch, skip, 0)
    else:
        brought = _Program(command, stream, scratch, skip)
    if command.collector == SCRIPT:
        stream.append("plan", _plan(command.check))
        if _check(command.check) in skip:
            return 0
    logs = scratch / "commands"
    logs.mkdir()
    with stream.timed(PROBE):
        Isolation(logs, 1, limits).run([brought])
    return brought.status()


class _Told:
    """Reads what a command's processes tell, as it comes."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._read = 0

    def news(self) -> Iterator[Mapping[str, Any]]:
        """What was told since; a line that is not whole waits for its end."""
        if not self.path.exists():
            return
        with self.path.open("rb") as file:
            file.seek(self._read)
            for line in file:
                if not line.endswith(b"\n"):
                    return
                self._read += len(line)
                try:
                    told = json.loads(line)
                except ValueError:
                    continue
                if isinstance(told, dict):
                    yield told


class _Program:
    """A program that is one check, or leaves a file with the checks that it made."""

    name = "command"

    def __init__(self, command: Command, stream: Stream, scratch: Path, skip: Set[str]) -> None:
        self._command = command
        self._stream = stream
        self._told = _Told(scratch / "told")
        self._skip = skip
        self._log = Path()

    def run(self, scratch: Path) -> dict[str, Any]:
        if self._command.junit:
            _junit_of(self._command).unlink(missing_ok=True)
        started = perf_counter()
        status = _call(self._command, self._command.words, self._told.path, scratch)
        outcome = self._outcome(status, scratch)
        if outcome["outcome"].bad and self._command.signature:
            text = (scratch / "log").read_text(encoding="utf-8", errors="replace")
            told = [outcome["reason"], outcome.get("signature", ""), text]
            if not any(self._command.signature in each for each in told):
                outcome = {
                    "outcome": Outcome.SKIP,
                    "reason": f"failed otherwise: {outcome.get('signature') or outcome['reason']}",
                }
        return {**outcome, "duration_s": round(perf_counter() - started, 3)}

    def _outcome(self, status: int, scratch: Path) -> dict[str, Any]:
        if status == 0:
            return {"outcome": Outcome.PASS}
        if status == CANNOT_TELL:
            return {"outcome": Outcome.SKIP, "reason": f"exit status {status}: it cannot tell"}
        message = _said(scratch / "log")
        raised = [each for each in self._told.news() if "raised" in each]
        if status < 0:
            how = f"killed by {signal.Signals(-status).name}"
            return {"outcome": Outcome.CRASH, "reason": how, "message": message}
        if raised:
            return {**_failure(raised[-1], scratch), "message": message}
        if lacking := trouble(scratch):
            return {"outcome": Outcome.NOT_RUN, "reason": lacking}
        how = signature_of_status(status)
        return {"outcome": Outcome.FAIL, "reason": how, "signature": how, "message": message}

    def got_on(self) -> bool:
        return False

    def ended(self, outcome: dict[str, Any]) -> Sequence[Job]:
        cases = list(_cases(self._command)) if self._command.junit else []
        if cases:
            self._stream.append("plan", *(_plan(check) for check, _ in cases))
            cells = [check | said for check, said in cases if _check(check) not in self._skip]
            self._stream.append("cell", *cells)
        else:
            if self._command.junit:
                self._stream.append("plan", _plan(self._command.check))
            # A process that was ended from outside had not come to this.
            outcome = _only(self._command, outcome)
            self._stream.append("cell", self._command.check | outcome)
        return ()

    def status(self) -> int:
        return 0


class _Suite:
    """What pytest collects; where its process dies, another one goes on behind that test."""

    name = "suite"

    def __init__(
        self, command: Command, stream: Stream, scratch: Path, skip: Set[str], number: int
    ) -> None:
        self._command = command
        self._stream = stream
        self._scratch = scratch
        self._number = number
        self._told = _Told(scratch / f"told-{number}")
        self._left_out = scratch / f"left-out-{number}"
        self._done = set(skip)
        self._planned: list[dict[str, Any]] = []
        self._current = ""
        self._cells = 0
        self._next: _Suite | None = None
        self._problem = ""

    def run(self, scratch: Path) -> dict[str, Any]:
        done = [name[len("suite.test[") : -1] for name in self._done]
        chosen = {"done": done, "texts": list(self._command.texts)}
        self._left_out.write_text(json.dumps(chosen), encoding="utf-8")
        options = ("-p", "compat_told", "-o", f"cache_dir={scratch / 'pytest'}")
        words = _with_options(self._command.words, options)
        more = {"COMPAT_LEFT_OUT": str(self._left_out)}
        status = _call(self._command, words, self._told.path, scratch, more)
        if status in _WHOLE:
            return {"outcome": Outcome.PASS, "reason": f"ended with status {status}"}
        if lacking := trouble(scratch):
            return {"outcome": Outcome.NOT_RUN, "reason": lacking}
        how = (
            f"killed by {signal.Signals(-status).name}"
            if status < 0
            else f"ended with status {status}"
        )
        return {"outcome": Outcome.CRASH, "reason": how, "message": _said(scratch / "log")}

    def got_on(self) -> bool:
        news = list(self._told.news())
        for told in news:
            self._take(told)
        return bool(news)

    def _take(self, told: Mapping[str, Any]) -> None:
        match told:
            case {"plan": [*tests]}:
                self._plan([_named("suite.test", "test", str(each)) for each in tests])
            case {"file": str(name)}:
                check = _named("suite.collected", "file", name)
                self._plan([check])
                self._cell(check, _collected(told, self._scratch))
            case {"begin": str(test)}:
                self._current = test
            case {"end": str(test)}:
                self._current = ""
                seconds = round(float(told.get("seconds", 0)), 3)
                outcome = {**_tested(told, self._scratch), "duration_s": seconds}
                self._cell(_named("suite.test", "test", test), outcome)

    def _plan(self, checks: Sequence[dict[str, Any]]) -> None:
        self._planned += checks
        self._stream.append("plan", *map(_plan, checks))

    def _cell(self, check: dict[str, Any], outcome: Mapping[str, Any]) -> None:
        if _check(check) not in self._done:
            self._done.add(_check(check))
            self._cells += 1
            self._stream.append("cell", {**check, **outcome})

    def ended(self, outcome: dict[str, Any]) -> Sequence[Job]:
        self.got_on()
        if self._current:
            died = dict(outcome)
            if died["outcome"] is Outcome.PASS:
                died["outcome"] = Outcome.CRASH
                died["reason"] += " before it reported"
            self._cell(_named("suite.test", "test", self._current), _only(self._command, died))
        left = [each for each in self._planned if _check(each) not in self._done]
        if left and self._cells:
            self._next = _Suite(
                self._command, self._stream, self._scratch, self._done, self._number + 1
            )
            return [self._next]
        if left or not self._planned:
            # What is indented belongs to the line before it.
            told = outcome.get("message", "").splitlines()
            lines = [line for line in told if line.strip() and not line[0].isspace()]
            said = lines[-1] if lines else "it said nothing"
            self._problem = f"pytest {outcome['reason']}: {said}"
        return ()

    def status(self) -> int:
        """Of the whole suite; 1 if tests are left that could not be run."""
        if self._next is not None:
            return self._next.status()
        if self._problem:
            # Last, where whoever looks for the reason finds it.
            print(self._problem, flush=True)
        return int(bool(self._problem))


def _call(
    command: Command,
    words: Sequence[str],
    told: Path,
    scratch: Path,
    more: Mapping[str, str] | None = None,
) -> int:
    """Run a program in a build's environment; its exit status, negative for a signal."""
    inherited = {name: value for name, value in os.environ.items() if name not in _NOT_GIVEN}
    # What the harness itself imports from is no part of the build.
    own = [each for each in os.environ.get("PYTHONPATH", "").split(os.pathsep) if each]
    path = [str(_GIVEN), *command.path, *own[1:], *command.beside]
    (scratch / "tmp").mkdir(exist_ok=True)
    variables = {
        **inherited,
        "PYTHONPATH": os.pathsep.join(path),
        "PATH": os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", ""))),
        # A process that dies of a signal says where.
        "PYTHONFAULTHANDLER": "1",
        "COMPAT_TOLD": str(told),
        **(more or {}),
    }
    program = sys.executable if words[0] in {"python", "python3"} else words[0]
    found = shutil.which(program, path=variables["PATH"])
    if found is None:
        print(f"{program}: no such program")
        return 127
    return subprocess.run([found, *words[1:]], cwd=command.folder, env=variables).returncode


def _said(log: Path) -> str:
    """The end of what a command printed; of one that died, from there on where Python says so."""
    text = log.read_text(encoding="utf-8", errors="replace") if log.exists() else ""
    begins = text.rfind("Fatal Python error:")
    # The frames that matter come first.
    return text[begins:][:LOG_TAIL] if begins >= 0 else text[-LOG_TAIL:]


def _with_options(words: Sequence[str], options: Sequence[str]) -> list[str]:
    """``pytest …`` and ``python … -m pytest …`` with more options, behind the word pytest."""
    place = next(n for n, word in enumerate(words) if Path(word).name in {"pytest", "py.test"}) + 1
    if place == 1:
        # Its own script knows one environment; what lies beside that may have another pytest.
        return ["python", "-m", "pytest", *options, *words[1:]]
    return [*words[:place], *options, *words[place:]]


def signature_of_status(status: int) -> str:
    """What a program goes by that ended with a status and raised nothing."""
    return f"ended with status {status}"


def is_pytest(words: Sequence[str]) -> bool:
    """Whether a command is one that pytest's ids can be had from."""
    if Path(words[0]).name in {"pytest", "py.test"}:
        return True
    python = Path(words[0]).name.startswith("python")
    return python and "-m" in words and list(words)[words.index("-m") + 1 :][:1] == ["pytest"]


def _failure(told: Mapping[str, Any], scratch: Path) -> dict[str, Any]:
    """What an exception that was told comes to."""
    kind, message, frame = (str(told.get(each, "")) for each in ("raised", "message", "frame"))
    text = message.strip()
    reason = text.splitlines()[0] if text else kind
    if lacking := trouble(scratch, _Said(kind, text)):
        return {"outcome": Outcome.NOT_RUN, "reason": lacking}
    asserted = told.get("asserted", kind == "AssertionError") and not told.get("by_torch")
    return {
        "outcome": Outcome.FAIL if asserted else Outcome.ERROR,
        "reason": reason,
        "signature": f"{kind}: {normalise(text)}" + (f" @ {frame}" if frame else ""),
    }


class _Said(Exception):  # noqa: N818  (what another process raised)
    """An exception of another process, of which only the text came over."""

    def __init__(self, kind: str, text: str) -> None:
        super().__init__(text)
        self.kind = kind


def _tested(told: Mapping[str, Any], scratch: Path) -> dict[str, Any]:
    ended, text = told.get("outcome"), str(told.get("text", ""))
    first = text.strip().splitlines()[0] if text.strip() else ""
    if ended == "passed":
        return {"outcome": Outcome.PASS}
    if ended == "skipped":
        return {"outcome": Outcome.SKIP, "reason": first}
    if ended == "xfailed":
        return {"outcome": Outcome.UNSUPPORTED, "reason": "expected to fail, and did"}
    if "raised" in told:
        return {**_failure(told, scratch), "message": text[-LOG_TAIL:]}
    # Such as a test that passes although it is marked as one that must fail.
    signature = normalise(first)
    return {"outcome": Outcome.FAIL, "reason": first, "signature": signature, "message": text}


def _collected(told: Mapping[str, Any], scratch: Path) -> dict[str, Any]:
    return _tested(told, scratch) if told.get("outcome") != "skipped" else {"outcome": Outcome.PASS}


def _only(command: Command, outcome: dict[str, Any]) -> dict[str, Any]:
    """A process that was ended says nothing if only failures count that look otherwise."""
    reason = str(outcome.get("reason", ""))
    if outcome["outcome"].bad and not outcome.get("signature") and command.signature:
        told = (reason, str(outcome.get("message", "")), outcome["outcome"].value)
        if not any(command.signature in each for each in told):
            return {"outcome": Outcome.SKIP, "reason": f"failed otherwise: {reason}"}
    return outcome


def _junit_of(command: Command) -> Path:
    return Path(command.folder) / command.junit


def _cases(command: Command) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """The cases of a JUnit file; none where there is no such file, or it is none."""
    path = _junit_of(command)
    if not path.is_file() or path.stat().st_size > _LARGEST_JUNIT_B:
        return
    try:
        # Expat refuses entities that grow.
        root = ET.fromstring(path.read_bytes())  # noqa: S314
    except ET.ParseError:
        return
    for case in root.iter("testcase"):
        name = "::".join(filter(None, (case.get("classname"), case.get("name"))))
        check = _named("suite.test", "test", name)
        if not command.texts or any(text in _check(check) for text in command.texts):
            yield check, _case(case)


def _case(case: ET.Element) -> dict[str, Any]:
    seconds = case.get("time", "0")
    duration_s = float(seconds) if seconds.replace(".", "", 1).isdigit() else 0.0
    for tag, outcome in (("failure", Outcome.FAIL), ("error", Outcome.ERROR)):
        if (bad := case.find(tag)) is not None:
            text = (bad.get("message") or bad.text or tag).strip()
            reason = text.splitlines()[0] if text else tag
            kind = bad.get("type", "")
            return {
                "outcome": outcome,
                "reason": reason,
                "signature": ": ".join(filter(None, (kind, normalise(text)))),
                "message": (bad.text or "")[-LOG_TAIL:],
                "duration_s": duration_s,
            }
    if (skipped := case.find("skipped")) is not None:
        reason = skipped.get("message", "")
        return {"outcome": Outcome.SKIP, "reason": reason, "duration_s": duration_s}
    return {"outcome": Outcome.PASS, "duration_s": duration_s}


def _named(probe: str, parameter: str, value: str) -> dict[str, Any]:
    return {"probe": probe, "params": {parameter: value}}


def _check(identity: Mapping[str, Any]) -> str:
    (value,) = identity["params"].values()
    return f"{identity['probe']}[{value}]"


def _plan(identity: Mapping[str, Any]) -> dict[str, Any]:
    (value,) = identity["params"].values()
    description = _DESCRIPTIONS[str(identity["probe"])]
    return {**identity, "description": description, "node": value}
