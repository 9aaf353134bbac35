"""What the job of a build hands over, and which of it is accepted.

A job runs the code of strangers, so it may hand over anything. It is heard on the build that it was
given, and on nothing else: the stream of that build is written anew, line by line, below the plan,
under ids that follow the plan's own. What describes the build is what the plan says, and a source
is one that is known already. The rest is refused, each file with one line.
"""

from __future__ import annotations

import os
import re
import shutil
import stat
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import groupby
from operator import itemgetter
from pathlib import Path

from packaging.specifiers import InvalidSpecifier, SpecifierSet

from compat.nightly.handover import RefusedError, read_plain
from compat.probes.names import probes
from compat.running.launcher import BESIDE_A_STREAM
from compat.runs.contents import (
    Described,
    End,
    Planned,
    Reported,
    read_contents,
    read_line,
)
from compat.runs.decode import DamagedError, decode_text
from compat.runs.ids import BUILTIN, InvalidIdError
from compat.runs.model import Build, Source, Status, Subject, to_json
from compat.runs.store import RunFolder, began_at, execution_id, write_json
from compat.runs.stream import Stream
from compat.runs.versions import public_version
from compat.subjects.spec import SubjectSpec

# Ten times what was ever seen, and more.
LARGEST_HEADER_B = 16 << 10
LARGEST_STREAM_B = 16 << 20
LONGEST_LINE_B = 256 << 10
MOST_RUNS = 10
MOST_LINES = 20_000
MOST_FILES = 100
_LONGEST_NAME = 200

# Clocks of machines differ.
SLACK = timedelta(minutes=10)

_HEADER = "header.json"
_SHA256 = re.compile("([0-9a-f]{64})?")


@dataclass(frozen=True, kw_only=True)
class Task:
    """What a job was given.

    Attributes:
        job: The job's id.
        build: The build as the plan has it.
        streams: The names of the streams of that build, each with its subject; that is None for the
            builtin one.
        plan: The plan's own header.
        known: The sources from which a job may have taken cells over, by id.
    """

    job: str
    build: Build
    streams: Mapping[str, SubjectSpec | None]
    plan: Source
    known: Mapping[str, Source]


@dataclass
class Received:
    """What became of all that was handed over.

    Attributes:
        folders: What was accepted, in the order of its ids.
        refused: A line for each file that was refused as a whole or in part, by job.
    """

    folders: list[RunFolder] = field(default_factory=list)
    refused: dict[str, list[str]] = field(default_factory=dict)

    def lines(self) -> list[str]:
        return [
            f"refused from {job}: {line}" for job, lines in self.refused.items() for line in lines
        ]


def receive(sent: Path, tasks: Sequence[Task], target: Path, now: datetime) -> Received:
    """Accept below ``target``, in the place of what is there, what the jobs left below ``sent``.

    A job from which nothing was accepted, though it left something, is a build that was not run.

    Args:
        sent: Holds a folder for each job that left something, see :func:`sent_by`.
        tasks: What each job of the plan was given, in the plan's order.
        target: Where accepted runs go.
        now: Nothing was seen later than that.
    """
    shutil.rmtree(target, ignore_errors=True)
    received = Received()
    for task in tasks:
        folder = sent / sent_by(task.job)
        if not os.path.lexists(folder):
            continue
        refused = received.refused.setdefault(task.job, [])
        accepted = _accepted(folder, task, now, refused)
        if not accepted and refused:
            accepted = [_nothing(task, refused)]
        renamed: dict[str, str] = {}
        for run in accepted:
            number = len(received.folders) + 1
            source = replace(run.source, id=_id_after(task.plan, number))
            renamed[run.source.id] = source.id
            path = target / source.id
            write_json(path / _HEADER, to_json(source))
            for name, written in run.lines.items():
                stream = Stream(path / name)
                for kind, lines in groupby(written, key=itemgetter(0)):
                    stream.append(kind, *(to_json(_renamed(said, renamed)) for _, said in lines))
            received.folders.append(RunFolder(path))
    return received


def sources_in(folders: Iterable[RunFolder]) -> dict[str, Source]:
    """By id, the executions of ``folders``, and those that they took cells over from."""
    known: dict[str, Source] = {}
    for folder in folders:
        known[folder.source.id] = folder.source
        for stream in folder.streams():
            known |= {each.id: each for each in read_contents(stream).sources}
    return known


def sent_by(job: str) -> str:
    """The name of the folder, and of the artifact, in which a job leaves what it saw."""
    return f"seen-{job}"


@dataclass(frozen=True, kw_only=True)
class _Run:
    """One execution of a job: its header, and by stream the lines that are accepted."""

    source: Source
    lines: Mapping[str, list[tuple[str, object]]]


def _id_after(plan: Source, number: int) -> str:
    """Ids of a plan's jobs follow its own by a millisecond each: no two jobs have the same."""
    return execution_id(began_at(plan.id) + timedelta(milliseconds=number))


def _renamed(said: object, renamed: Mapping[str, str]) -> object:
    """A line that names executions by the ids under which they are accepted."""
    match said:
        case Source():
            return replace(said, id=renamed.get(said.id, said.id))
        case Reported():
            return replace(said, seen_in=renamed.get(said.seen_in, said.seen_in))
        case _:
            return said


def _nothing(task: Task, refused: list[str]) -> _Run:
    reason = f"what its job left was refused: {refused[0]}"
    end = End(status=Status.UNAVAILABLE, reason=reason)
    lines: list[tuple[str, object]] = [("build", task.build), ("end", end)]
    return _Run(source=task.plan, lines={RunFolder(Path()).stream(task.build.id).path.name: lines})


def _accepted(folder: Path, task: Task, now: datetime, refused: list[str]) -> list[_Run]:
    """The runs in a job's folder, oldest first; what else is there goes to ``refused``."""
    accepted: list[_Run] = []
    known = dict(task.known)
    try:
        paths = _inside(folder, MOST_RUNS)
    except RefusedError as error:
        refused.append(f"{error}")
        return []
    for path in paths:
        name = _quoted(path.name)
        try:
            inside = {each.name for each in _inside(path)}
            source = _header(path, task, now)
            task = replace(task, known=known)
            lines = dict(_streams(path, task, inside, refused))
        except RefusedError as error:
            refused.append(f"{name}: {error}")
            continue
        # Beside each stream lie what was passed to its worker, and what that said.
        beside = {
            str(Path(each).with_suffix(suffix))
            for each in task.streams
            for suffix in BESIDE_A_STREAM
        }
        expected = " or ".join(task.streams)
        refused += [
            f"{name}/{_quoted(each)}: expected {expected} alone"
            for each in sorted(inside - {_HEADER, *task.streams} - beside)
        ]
        if lines:
            # What is tried again takes over what the first try saw.
            known[source.id] = source
            accepted.append(_Run(source=source, lines=lines))
    return accepted


def _streams(
    folder: Path, task: Task, inside: Collection[str], refused: list[str]
) -> Iterator[tuple[str, list[tuple[str, object]]]]:
    """The lines of each stream in a folder that are accepted; what else it says, to ``refused``."""
    for stream in task.streams:
        if stream not in inside:
            continue
        name = f"{_quoted(folder.name)}/{stream}"
        try:
            lines, problems = _lines(folder / stream, task)
        except RefusedError as error:
            refused.append(f"{name}: {error}")
            continue
        if problems:
            more = f", and {len(problems) - 1} lines more" if problems[1:] else ""
            refused.append(f"{name}: {problems[0]}{more}")
        yield stream, lines


def _inside(folder: Path, most: int = MOST_FILES) -> list[Path]:
    if not stat.S_ISDIR(folder.lstat().st_mode):
        raise RefusedError("expected a folder")
    paths = sorted(folder.iterdir())
    if len(paths) > most:
        raise RefusedError(f"expected at most {most} files and folders, not {len(paths)}")
    return paths


def _header(folder: Path, task: Task, now: datetime) -> Source:
    """The header of a run that began between the plan and now, on the plan's own commit."""
    try:
        source = decode_text(read_plain(folder / _HEADER, LARGEST_HEADER_B), Source)
        began, started = began_at(folder.name), datetime.fromisoformat(source.started)
    except (ValueError, DamagedError) as error:
        raise RefusedError(f"{_HEADER}: {error}") from None
    if source.id != folder.name:
        raise RefusedError(f"{_HEADER}: expected the id {folder.name}, not {_quoted(source.id)}")
    texts = [source.host.system, source.host.machine, source.host.cpu, source.started]
    if max(map(len, texts)) > _LONGEST_NAME:
        raise RefusedError(f"{_HEADER}: expected texts of at most {_LONGEST_NAME} characters")
    earliest = began_at(task.plan.id) - SLACK
    if started.tzinfo is None or not all(
        earliest <= each <= now + SLACK for each in (began, started)
    ):
        raise RefusedError(
            f"{_HEADER}: expected a run that began after {task.plan.started} and is over"
        )
    if source.harness.commit.rstrip("+") != task.plan.harness.commit.rstrip("+"):
        raise RefusedError(f"{_HEADER}: expected the commit of the plan")
    return source


def _lines(path: Path, task: Task) -> tuple[list[tuple[str, object]], list[str]]:
    """The lines of a stream that are accepted, and what is wrong with the others."""
    lines = read_plain(path, LARGEST_STREAM_B).split(b"\n")
    if len(lines) > MOST_LINES:
        raise RefusedError(f"{path.name}: expected at most {MOST_LINES} lines, not {len(lines)}")
    checker = _Checker(task, task.streams[path.name])
    accepted, problems = [], []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            if len(line) > LONGEST_LINE_B:
                raise RefusedError(f"expected at most {LONGEST_LINE_B} B")
            accepted.append(checker.check(line))
        except (RefusedError, DamagedError, InvalidIdError) as error:
            problems.append(f"line {number}: {error}")
    if not checker.begun:
        raise RefusedError(f"{path.name}: {problems[0] if problems else 'expected a stream'}")
    return accepted, problems


class _Checker:
    """Takes the lines of one stream, in their order."""

    def __init__(self, task: Task, subject: SubjectSpec | None) -> None:
        self._task = task
        self._subject = subject
        self._subject_said = subject is None
        self._titles = {probe.name: probe.title for probe in probes()}
        self.begun = False

    def check(self, line: bytes) -> tuple[str, object]:
        """A line as its kind and what it says, as that is accepted.

        Raises:
            RefusedError: It says what is not for it to say.
            DamagedError: It is of another shape.
            InvalidIdError: A probe in it has no probe's name.
        """
        kind, said = read_line(line)
        if self.begun is isinstance(said, Build):
            raise RefusedError("expected what says which build it is of once, and first")
        if not isinstance(said, Build) and self._subject_said is isinstance(said, Subject):
            raise RefusedError("expected what says which subject it is of once, and second")
        match said:
            case Build():
                said = self._as_planned(said)
                self.begun = True
            case Subject():
                self._check_subject(said)
                self._subject_said = True
            case Described():
                self._check_environment(said)
            case Source():
                if self._task.known.get(said.id) != said:
                    raise RefusedError("expected a source that is known")
            case Planned():
                said = replace(said, description=self._title(said))
            case Reported():
                self._title(said)
                if said.seen_in and said.seen_in not in self._task.known:
                    raise RefusedError("expected a cell of a source that is known")
        return kind, said

    def _title(self, check: Planned | Reported) -> str:
        """What a check asks, as this project says it and not the job."""
        if check.check.probe not in self._titles:
            raise RefusedError("expected a probe of this project")
        return self._titles[check.probe]

    def _as_planned(self, said: Build) -> Build:
        """The build as it was planned; of what was installed only a hash may be news."""
        planned = self._task.build
        if said.id != planned.id:
            raise RefusedError(f"expected the build {planned.label} alone")
        if planned.wheel is None or said.wheel is None:
            return planned
        if said.wheel.filename != planned.wheel.filename or (
            planned.wheel.sha256 and said.wheel.sha256 not in {"", planned.wheel.sha256}
        ):
            raise RefusedError("expected the wheel that was planned")
        if not _SHA256.fullmatch(said.wheel.sha256):
            raise RefusedError("expected a sha256 of the wheel")
        return replace(planned, wheel=said.wheel)

    def _check_subject(self, said: Subject) -> None:
        planned = self._subject
        if planned is None or (said.id, said.requested) != (planned.id(), str(planned)):
            raise RefusedError(f"expected the subject {planned or BUILTIN} alone")
        try:
            SpecifierSet(said.requires[:_LONGEST_NAME])
        except InvalidSpecifier:
            raise RefusedError("expected versions as what the subject requires") from None
        if len(said.requires) > _LONGEST_NAME:
            raise RefusedError(f"expected texts of at most {_LONGEST_NAME} characters")

    def _check_environment(self, said: Described) -> None:
        planned = self._task.build
        if said.device.kind != planned.device.kind:
            raise RefusedError(f"expected the device {planned.device.kind}")
        texts = [said.version, said.git_version, said.triton, said.python, said.compiler]
        if max(map(len, texts)) > _LONGEST_NAME:
            raise RefusedError(f"expected texts of at most {_LONGEST_NAME} characters")
        expected = public_version(planned.id.name)
        if public_version(said.version) != expected:
            raise RefusedError(f"expected torch {expected}")


def _quoted(name: str) -> str:
    """A name that somebody else chose, as plain text of bounded length."""
    return ascii(name[:80])
