"""How every answer was over time: one column for each build of each execution.

``history.json`` is kept small: a value stands there only where it is another one than in the column
before. Of nightlies and release candidates the newest 400 columns a device stay, of every other
build the newest 20.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from functools import cached_property
from importlib import resources
from pathlib import Path
from typing import Any, TypeAlias

from packaging.version import Version

from compat.runs.answers import ENDING, OUTCOME, Change, Ending, Sample, Scale, Value, relate
from compat.runs.decode import DamagedError, read_json
from compat.runs.ids import BUILTIN, AnswerId, BuildId, CheckId
from compat.runs.model import Build, Cell, Outcome, Run, Status
from compat.runs.signature import normalise, without_measurements
from compat.runs.store import write_json
from compat.runs.versions import public_version, version_order

SCHEMA_VERSION = 2

# The build itself stands among the checks: it passed where it was installed, imported and run to
# its end.
WHOLE = CheckId("build.whole")

LETTERS = {outcome: outcome.value[0] for outcome in Outcome}
OUTCOMES = {letter: outcome for outcome, letter in LETTERS.items()}
ABSENT = "."

_MOST_MOVING = 400
_MOST_FIXED = 20
_MOVING = frozenset({"nightly", "test"})

# What an answer of a record may be; how a cell ended is kept apart.
Stored: TypeAlias = bool | int | float | str | tuple[Sample, ...]


@dataclass(frozen=True, kw_only=True)
class Column:
    """One build of one execution, for one subject.

    Attributes:
        run: The id of the execution: of the newest one, where a report is made of several.
        date: The day, YYYY-MM-DD, on which a cell of the build was seen last: that of an earlier
            execution, where nothing had changed and nothing was seen again.
        card: The GPU's name; empty for the CPU, and where nobody wrote it down.
    """

    run: str
    date: str
    build: BuildId
    version: str
    channel: str
    git_version: str
    subject: str = BUILTIN
    card: str = ""

    @property
    def label(self) -> str:
        """The build as people read it, and whose compiler interface was run in it."""
        return (
            self.build.label if self.subject == BUILTIN else f"{self.subject} on {self.build.label}"
        )

    @property
    def line(self) -> tuple[str, str, str]:
        """Subject, device and Python: columns are ordered only within one."""
        return (self.subject, *self.build.line)

    @property
    def comparable(self) -> tuple[str, ...]:
        """Columns are compared where this is the same: numbers of two GPUs differ by nature."""
        return (*self.line, self.card)

    @property
    def series(self) -> tuple[str, ...]:
        """Within its line: the channel and series that it shares with the builds it follows."""
        if self.channel == "local":
            return (*self.line, self.channel, self.build.name)
        version = public_version(self.build.name)
        name = f"{version.major}.{version.minor}" if version else self.build.name
        return (*self.line, self.channel, name)

    @property
    def is_moving(self) -> bool:
        """Whether it is one of a channel in which another build follows every night."""
        return self.channel in _MOVING

    @property
    def lane(self) -> tuple[str, ...]:
        """What it shares with the columns that it follows, so that few values change among them.

        Releases are run again night after night, each says what it said before; a nightly says
        what the nightly before it said.
        """
        return (*self.line, self.channel, "" if self.is_moving else self.build)

    @property
    def order(self) -> tuple[bool, Version, str]:
        """By version, then by time; what never got a version goes last."""
        return (*version_order(self.version or self.build.name), self.run)

    def is_beside(self, other: Column) -> bool:
        """Whether they are two interpreters that were there, of one version: neither is older."""
        return (
            self.channel == other.channel == "local"
            and self.build != other.build
            and self.version == other.version
        )


@dataclass(frozen=True)
class Told:
    """A value, and how it is to be read; the value is None where it was not known."""

    scale: Scale
    value: Value | None

    def since(self, before: Value | None) -> Change:
        """How it relates to what was said before; what is equal is not looked at closely."""
        return Change.SAME if before == self.value else relate(self.scale, before, self.value)


UNTOLD = Told(ENDING, None)


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A column, and all that was seen in it.

    Attributes:
        endings: By check: how it ended; also that it was not run.
        answers: What the checks said.
    """

    column: Column
    endings: Mapping[CheckId, Ending]
    answers: Mapping[AnswerId, Told]

    @cached_property
    def told(self) -> Mapping[AnswerId, Told]:
        """All that it says; how each check ended is an answer, too."""
        endings = {
            AnswerId.of(check, OUTCOME): Told(ENDING, ending)
            for check, ending in self.endings.items()
        }
        return {**endings, **self.answers}

    @cached_property
    def _probes(self) -> frozenset[str]:
        return frozenset(check.probe for check in self.endings)

    def asked(self, name: AnswerId, *, of_one_cell: bool) -> bool:
        """Whether it was asked for an answer, known or not.

        What several cells say together was asked where any cell of the probe was.
        """
        return name.check in self.endings if of_one_cell else name.check.probe in self._probes

    @property
    def key(self) -> tuple[str, str, BuildId]:
        return (self.column.run, self.column.subject, self.column.build)


@dataclass(frozen=True)
class History:
    """All entries that are kept, oldest first."""

    entries: Sequence[Entry] = ()

    @property
    def columns(self) -> list[Column]:
        return [entry.column for entry in self.entries]

    def of_line(self, line: tuple[str, str, str]) -> list[Entry]:
        """The entries of one subject, device and Python, by version, then by time."""
        found = [entry for entry in self.entries if entry.column.line == line]
        return sorted(found, key=lambda entry: entry.column.order)


EMPTY = History()


def append(history: History, entries: Iterable[Entry]) -> History:
    """``history`` with the columns of a run.

    What is new of a column that is there already replaces what it says of the same checks: a part
    of a run may be reported again.
    """
    known = {entry.key: entry for entry in history.entries}
    for entry in entries:
        earlier = known.get(entry.key)
        known[entry.key] = entry if earlier is None else _joined(earlier, entry)
    return History(_pruned(known.values()))


def _joined(earlier: Entry, later: Entry) -> Entry:
    kept = {name: told for name, told in earlier.answers.items() if name.check not in later.endings}
    return Entry(
        column=later.column,
        endings={**earlier.endings, **later.endings},
        answers={**kept, **later.answers},
    )


def _pruned(entries: Iterable[Entry]) -> list[Entry]:
    kept = []
    newer: Counter[tuple[str, ...]] = Counter()
    for entry in sorted(entries, key=_by_time, reverse=True):
        column = entry.column
        series = (column.subject, "" if column.is_moving else column.build, column.build.device)
        newer[series] += 1
        if newer[series] <= (_MOST_MOVING if column.is_moving else _MOST_FIXED):
            kept.append(entry)
    return kept[::-1]


def _by_time(entry: Entry) -> tuple[Any, ...]:
    column = entry.column
    return (column.run, *column.order, column.build, column.subject)


def run_id(run: Run) -> str:
    """What a run goes by: the newest execution that saw any of its cells."""
    return run.newest.id


def day_of(execution: str) -> str:
    """The day on which an execution with this id began, YYYY-MM-DD."""
    return execution[: len("YYYY-MM-DD")]


def column_of(
    run: Run, build: Build, cells: Iterable[Cell], subject: str = BUILTIN, *, broken: bool
) -> Column:
    """The column of a subject on a build, of which these are all ``cells``.

    One that is ``broken`` as a whole was tried in the newest execution, whatever was known of it.
    """
    seen_in = {run_id(run)} if broken else {cell.seen_in for cell in cells} - {""}
    return Column(
        run=run_id(run),
        date=day_of(max(seen_in, default=run_id(run))),
        build=build.id,
        version=build.version,
        channel=build.channel,
        git_version=build.git_version,
        subject=subject,
        card="" if build.id.device == "cpu" else build.device.name,
    )


def whole_of(status: Status, reason: str) -> Ending:
    """How a build, or a subject on it, did as a whole."""
    match status:
        case Status.OK:
            return Ending(outcome=Outcome.PASS)
        case Status.BROKEN:
            return Ending(outcome=Outcome.ERROR, signature=normalise(reason))
        case Status.UNAVAILABLE:
            return Ending(outcome=Outcome.NOT_RUN)


# On disk.


@dataclass(frozen=True, kw_only=True)
class _Track:
    """One answer over all columns.

    Attributes:
        changes: The column's number and the value from there on, among the columns that follow one
            another; None from where on it is not known.
    """

    scale: Scale
    changes: tuple[tuple[int, Stored | None], ...]


@dataclass(frozen=True, kw_only=True)
class _File:
    """``history.json``.

    Attributes:
        outcomes: By check: one letter a column, and ``.`` where the check was not asked.
        signatures: By check, by the column's number as text: of what ended badly.
    """

    schema_version: int
    columns: tuple[Column, ...]
    outcomes: Mapping[CheckId, str]
    signatures: Mapping[CheckId, Mapping[str, str]]
    answers: Mapping[AnswerId, _Track] = field(default_factory=dict)


def load_history(path: Path) -> History:
    """What :func:`save_history` wrote; an empty history where there is no such file.

    Raises:
        DamagedError: The file is no history, or is of another schema version.
    """
    if not path.exists():
        return EMPTY
    data = read_json(path, _File)
    if data.schema_version != SCHEMA_VERSION:
        raise DamagedError(
            f"{path}: expected schema version {SCHEMA_VERSION}, not {data.schema_version}"
        )
    width = len(data.columns)
    for check, letters in data.outcomes.items():
        if len(letters) != width or not OUTCOMES.keys() | {ABSENT} >= set(letters):
            raise DamagedError(f"{path}: {check}: expected {width} letters of outcomes")
    return History(_entries(data))


def _entries(data: _File) -> list[Entry]:
    endings: list[dict[CheckId, Ending]] = [{} for _ in data.columns]
    for check, letters in data.outcomes.items():
        signatures = data.signatures.get(check, {})
        for number, letter in enumerate(letters):
            if letter != ABSENT:
                outcome = OUTCOMES[letter]
                # That of an older run may have figures in it.
                signature = without_measurements(signatures.get(str(number), ""))
                endings[number][check] = Ending(outcome=outcome, signature=signature)
    known = _Known(endings)
    lanes = dict(enumerate(column.lane for column in data.columns))
    answers: list[dict[AnswerId, Told]] = [{} for _ in data.columns]
    for name, track in data.answers.items():
        changes = dict(track.changes)
        asked = known.asked(name.check)
        unknown = Told(track.scale, None)
        last: dict[tuple[str, ...], Told] = {}
        for number in sorted(asked | (changes.keys() & lanes.keys())):
            lane = lanes[number]
            if number in changes:
                last[lane] = Told(track.scale, changes[number])
            if number in asked:
                answers[number][name] = last.get(lane, unknown)
    return [
        Entry(column=column, endings=endings[number], answers=answers[number])
        for number, column in enumerate(data.columns)
    ]


class _Known:
    """The columns, by number, that know something of a check.

    What several cells say together goes by a check that is none of them: it is asked where any cell
    of its probe is.
    """

    def __init__(self, columns: Iterable[Mapping[CheckId, Ending]]) -> None:
        self._checks: dict[CheckId, set[int]] = {}
        self._probes: dict[str, set[int]] = defaultdict(set)
        for number, endings in enumerate(columns):
            for check, ending in endings.items():
                asked = self._checks.setdefault(check, set())
                if ending.outcome.known:
                    asked.add(number)
                    self._probes[check.probe].add(number)

    def asked(self, check: CheckId) -> Set[int]:
        found = self._checks.get(check)
        return self._probes.get(check.probe, set()) if found is None else found


def save_history(history: History, path: Path) -> None:
    """Write ``history``, one column, check or answer a line; the same history, the same bytes."""
    write_json(path, to_file(history))


def to_file(history: History) -> dict[str, Any]:
    """``history`` as what ``history.json`` holds."""
    width = len(history.entries)
    letters: dict[CheckId, list[str]] = {}
    signatures: dict[CheckId, dict[str, str]] = {}
    for number, entry in enumerate(history.entries):
        for check, ending in entry.endings.items():
            letters.setdefault(check, [ABSENT] * width)[number] = LETTERS[ending.outcome]
            if ending.signature:
                signatures.setdefault(check, {})[str(number)] = ending.signature
    tracks = _tracks(history)
    return {
        "schema_version": SCHEMA_VERSION,
        "columns": history.columns,
        "outcomes": {check: "".join(letters[check]) for check in sorted(letters)},
        "signatures": {check: signatures[check] for check in sorted(signatures)},
        "answers": {name: tracks[name] for name in sorted(tracks)},
    }


def _tracks(history: History) -> dict[AnswerId, dict[str, Any]]:
    scales: dict[AnswerId, Scale] = {}
    changes: dict[AnswerId, list[tuple[int, Any]]] = defaultdict(list)
    known = _Known(entry.endings for entry in history.entries)
    lanes: dict[tuple[str, ...], dict[AnswerId, Told]] = defaultdict(dict)
    for number, entry in enumerate(history.entries):
        last = lanes[entry.column.lane]
        unsaid = last.keys() - entry.answers.keys()
        said = {**entry.answers, **{name: Told(scales[name], None) for name in unsaid}}
        for name, told in said.items():
            scales[name] = told.scale
            before = last.get(name)
            if told is before or number not in known.asked(name.check):
                continue
            if told.since(before.value if before else None) is not Change.SAME:
                changes[name].append((number, told.value))
                last[name] = told
    return {name: {"scale": scale, "changes": changes[name]} for name, scale in scales.items()}


def schema() -> Any:
    """The published JSON schema of ``history.json``."""
    return json.loads(
        resources.files("compat.runs").joinpath("history.schema.json").read_text(encoding="utf-8")
    )
