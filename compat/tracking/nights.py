"""What becomes of the tracking issues, decided from the history alone.

A device's issue is opened by a symptom that was seen night after night, and closed by good
nights: a failure, or an answer that is lost or worse against the stable twin. Every decision is
made anew from all nights there are, so that nothing needs remembering.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import Enum
from itertools import takewhile

from compat.findings.answers import ending_of
from compat.findings.changes import Difference, value_in
from compat.findings.results import Results
from compat.runs.answers import ENDING, OUTCOME, Change, Ending, Kind, Value, relate
from compat.runs.history import WHOLE, Column, Entry, History, day_of, run_id
from compat.runs.ids import AnswerId
from compat.runs.model import Outcome, Run, Status

GOOD_NIGHTS = 2
STALE_INDEX_DAYS = 7
STALE_SCHEDULE_DAYS = 2

_NIGHTLY = "nightly"
_STABLE = "stable"
_CHANNELS = frozenset({_NIGHTLY, "test"})

# What a build as a whole ends with for reasons of the machine or of the network.
_INFRASTRUCTURE = ("could not be installed", "the runner ended")
_DAY_OF_NIGHTLY = re.compile(r"\.dev(\d{4})(\d\d)(\d\d)\b")


class Wanted(Enum):
    """What an issue should be after this."""

    OPEN = "open"
    AS_IS = "as it is"  # rewritten if it is open, and never opened
    CLOSED = "closed"


class Standing(Enum):
    """How a signature stands after the newest night, against the night before."""

    STILL_THERE = "still there"
    NEW = "new"
    NOT_RUN = "not run"
    GONE = "gone"


@dataclass(frozen=True, kw_only=True)
class Symptom:
    """What is wrong: the same night after night.

    Attributes:
        about: ``outcome`` of a failure; else the probe and the answer's name.
        before: What the stable twin says; None of a failure, and where the value has noise.
        after: What is said now: of a failure its signature, in an :class:`Ending`.
    """

    about: str
    change: Change
    before: Value | None
    after: Value | None


def symptom_of(difference: Difference) -> Symptom:
    """Of an answer that is lost or worse, or of a cell that ended badly."""
    after = difference.after
    if isinstance(after, Ending) and after.outcome.bad:
        return _failure(after)
    noisy = difference.scale.kind in {Kind.QUANTITY, Kind.NUMBERS}
    name = difference.answer
    return Symptom(
        about=OUTCOME if name.name == OUTCOME else f"{name.check.probe}.{name.name}",
        change=difference.change,
        before=None if noisy else difference.before,
        after=None if noisy else after,
    )


def _failure(ending: Ending) -> Symptom:
    return Symptom(about=OUTCOME, change=Change.LOST, before=None, after=ending)


@dataclass(frozen=True, kw_only=True)
class Trouble:
    """A symptom that was seen on a device, since the last time that all was well.

    Attributes:
        nights: In how many nights in a row; those in which its checks were not run do not count.
        answers: Where the last of these nights saw it.
        seen_on: The newest build that showed it.
        first_bad: The build that showed it first,
        last_good: and the last build of the same channel before that was well.
    """

    symptom: Symptom
    standing: Standing
    nights: int
    answers: tuple[AnswerId, ...]
    seen_on: Column
    first_bad: Column
    last_good: Column | None


@dataclass(frozen=True, kw_only=True)
class Tracking:
    """What the nights of one device come to.

    Attributes:
        newest: The builds of the newest night.
        troubles: In the order of their standings, those seen for the most nights first.
    """

    device: str
    wanted: Wanted
    newest: tuple[Column, ...]
    troubles: tuple[Trouble, ...]


@dataclass(frozen=True, kw_only=True)
class _Night:
    """One date on one device.

    Attributes:
        seen: By unexpected symptom, by answer: the entry that showed it.
        known: The answers of which something is known.
    """

    columns: tuple[Column, ...]
    seen: Mapping[Symptom, Mapping[AnswerId, Entry]]
    known: frozenset[AnswerId]


@dataclass
class _Spell:
    """The nights in a row in which a symptom was seen."""

    nights: list[Mapping[AnswerId, Entry]] = field(default_factory=list)
    over: bool = False

    @property
    def answers(self) -> set[AnswerId]:
        return {answer for night in self.nights for answer in night}


Known = Container[tuple[AnswerId, Symptom]]


def track(history: History, device: str, nights: int, expected: Known = ()) -> Tracking | None:
    """What should become of the issue of ``device``; None where there was no night.

    Args:
        history: All that is known.
        device: ``cpu`` or ``cuda``.
        nights: In how many nights in a row a symptom must be seen to open the issue.
        expected: Answers with the symptom that is known of them: no trouble.
    """
    is_open = confirmed = False
    good = 0
    spells: dict[Symptom, _Spell] = {}
    night = None
    for night in _nights(history, device, expected):
        if not is_open:
            spells = {name: spell for name, spell in spells.items() if not spell.over}
        for name, spell in spells.items():
            spell.over = spell.over or (name not in night.seen and spell.answers <= night.known)
        for name, seen in night.seen.items():
            if name not in spells or spells[name].over:
                spells[name] = _Spell()
            spells[name].nights.append(seen)
        long = {name: spell for name, spell in spells.items() if len(spell.nights) >= nights}
        if night.seen:
            good = 0
        elif night.known and all(spell.answers <= night.known for spell in long.values()):
            good += 1
        confirmed = not long.keys().isdisjoint(night.seen)
        is_open = confirmed or (is_open and good < GOOD_NIGHTS)
    if night is None:
        return None
    troubles = [_trouble(history, name, spell, night) for name, spell in spells.items()]
    all_is_well = good >= GOOD_NIGHTS
    return Tracking(
        device=device,
        wanted=Wanted.OPEN if confirmed else Wanted.CLOSED if all_is_well else Wanted.AS_IS,
        newest=night.columns,
        troubles=tuple(sorted(troubles, key=_weight)),
    )


def _nights(history: History, device: str, expected: Known) -> Iterator[_Night]:
    dates: dict[str, dict[str, list[Entry]]] = {}
    for entry in history.entries:
        column = entry.column
        if column.build.device == device and column.channel in _CHANNELS:
            dates.setdefault(column.date, {}).setdefault(column.channel, []).append(entry)
    past = _Past(history)
    for day in sorted(dates):
        newest = [entry for entries in dates[day].values() for entry in _newest(entries)]
        yield _night(newest, past, expected)


def _newest(entries: Sequence[Entry]) -> list[Entry]:
    """Those of the newest version; several, where it was run again or under several Pythons."""
    version = max((entry.column.order[:2] for entry in entries), default=None)
    return [entry for entry in entries if entry.column.order[:2] == version]


class _Past:
    """What was known before an entry was made."""

    def __init__(self, history: History) -> None:
        self._same: dict[tuple[str, str, str], list[Entry]] = {}
        self._releases: dict[tuple[str, str, str], list[Entry]] = {}
        self._twins: dict[Column, Sequence[Entry]] = {}
        for entry in history.entries:
            column = entry.column
            self._same.setdefault(_build_of(column), []).append(entry)
            if column.channel == _STABLE:
                self._releases.setdefault(column.line, []).append(entry)

    def earlier_nights(self, column: Column) -> Iterable[Entry]:
        """Those of the very same build on earlier dates, the last one first."""
        same = self._same[_build_of(column)]
        return (entry for entry in reversed(same) if entry.column.date < column.date)

    def twin(self, column: Column, name: AnswerId) -> Entry | None:
        """The newest release beside it, as it last said something of an answer."""
        if column not in self._twins:
            self._twins[column] = self._newest_release(column)
        said = (each for each in self._twins[column] if value_in(each, name) is not None)
        return next(said, None)

    def _newest_release(self, column: Column) -> Sequence[Entry]:
        """Its entries up to then, the last one first: each may be a part of a run."""
        releases = self._releases.get(column.line, [])
        found = [entry for entry in releases if entry.column.run <= column.run]
        return sorted(_newest(found), key=lambda each: each.column.run, reverse=True)


def _build_of(column: Column) -> tuple[str, str, str]:
    return (column.subject, column.build, column.git_version)


def _night(entries: Sequence[Entry], past: _Past, expected: Known) -> _Night:
    seen: dict[Symptom, dict[AnswerId, Entry]] = {}
    known: set[AnswerId] = set()
    for name, entry, value in _last_said(entries):
        if isinstance(value, Ending) and _is_the_machines(name, value):
            continue
        if _is_no_news(name, entry, value, past):
            continue
        known.add(name)
        symptom = _symptom(name, entry, value, past)
        if symptom is not None and (name, symptom) not in expected:
            seen.setdefault(symptom, {})[name] = entry
    builds = {entry.column.build: entry.column for entry in entries}
    return _Night(columns=tuple(builds.values()), seen=seen, known=frozenset(known))


def _last_said(entries: Sequence[Entry]) -> Iterable[tuple[AnswerId, Entry, Value]]:
    """Every answer that is known; of a build that was run again, what it said last."""
    last: dict[tuple[str, AnswerId], tuple[Entry, Value]] = {}
    for entry in entries:
        endings = (AnswerId.of(check, OUTCOME) for check in entry.endings)
        for name in (*endings, *entry.answers):
            value = value_in(entry, name)
            if value is not None:
                last[entry.column.build, name] = (entry, value)
    return ((name, *found) for (_, name), found in last.items())


def _is_the_machines(name: AnswerId, ending: Ending) -> bool:
    return name.check == WHOLE and ending.signature.startswith(_INFRASTRUCTURE)


def _is_no_news(name: AnswerId, entry: Entry, value: Value, past: _Past) -> bool:
    """Whether the build had said the same in an earlier night.

    Where some of its checks were run again the others were taken over, and were not seen twice.
    """
    for earlier in past.earlier_nights(entry.column):
        before = value_in(earlier, name)
        if before is not None:
            return before == value
    return False


def _symptom(name: AnswerId, entry: Entry, value: Value, past: _Past) -> Symptom | None:
    """What is wrong with an answer, if anything is."""
    if isinstance(value, Ending) and value.outcome.bad:
        return _failure(value)
    twin = past.twin(entry.column, name)
    before = value_in(twin, name) if twin else None
    scale = ENDING if name.name == OUTCOME else entry.answers[name].scale
    change = relate(scale, before, value)
    if twin is None or not change.alarms:
        return None
    difference = Difference(
        answer=name,
        scale=scale,
        before=before,
        after=value,
        change=change,
        expected=False,
        old=twin.column,
        new=entry.column,
    )
    return symptom_of(difference)


def _trouble(history: History, symptom: Symptom, spell: _Spell, newest: _Night) -> Trouble:
    first, last = spell.nights[0], spell.nights[-1]
    name = min(first)
    if symptom in newest.seen:
        standing = Standing.NEW if len(spell.nights) == 1 else Standing.STILL_THERE
    else:
        standing = Standing.GONE if spell.over else Standing.NOT_RUN
    return Trouble(
        symptom=symptom,
        standing=standing,
        nights=len(spell.nights),
        answers=tuple(sorted(last)),
        seen_on=last[min(last)].column,
        first_bad=first[name].column,
        last_good=_last_good(history, name, first[name]),
    )


def _weight(trouble: Trouble) -> tuple[int, int, str]:
    return (list(Standing).index(trouble.standing), -trouble.nights, str(trouble.symptom))


def _last_good(history: History, name: AnswerId, bad: Entry) -> Column | None:
    """The last column of the same channel before that says otherwise, and does not end badly."""
    said = value_in(bad, name)
    earlier = takewhile(lambda entry: entry is not bad, history.entries)
    for entry in reversed(list(earlier)):
        alike = (entry.column.line, entry.column.channel) == (bad.column.line, bad.column.channel)
        value = value_in(entry, name) if alike else None
        if value is None or value == said:
            continue
        if not isinstance(value, Ending) or value.outcome is Outcome.PASS:
            return entry.column
    return None


def known_symptoms(results: Results) -> frozenset[tuple[AnswerId, Symptom]]:
    """What ended badly as expected in a run, and what was lost as expected; on any device."""
    cells = [cell for cell in results.run.cells if cell.id in set(results.findings.expected)]
    failures = {(AnswerId.of(cell.check, OUTCOME), _failure(ending_of(cell))) for cell in cells}
    losses = {
        (difference.answer, symptom_of(difference))
        for comparison in results.comparisons.values()
        for group in comparison.groups
        if group.expected
        for difference in group.differences
    }
    return frozenset(failures | losses)


def watch_index(history: History, run: Run) -> dict[str, str]:
    """By device: the newest nightly there has been, where for a week nothing newer has come.

    Of the devices that ``run``, the newest one, was made for.
    """
    nightlies = {
        *(each.build for each in history.columns if each.channel == _NIGHTLY),
        # The index had it, also where no machine has run it.
        *(each.id for each in run.builds if each.channel == _NIGHTLY),
    }
    ran = {build.id.device for build in run.builds if build.status is not Status.UNAVAILABLE}
    oldest = date.fromisoformat(day_of(run_id(run))) - timedelta(days=STALE_INDEX_DAYS)
    stale = {}
    for device in sorted(ran):
        dated = [
            (day, build.name)
            for build in nightlies
            if build.device == device and (day := _day(build.name))
        ]
        if dated and max(dated)[0] < oldest:
            stale[device] = max(dated)[1]
    return stale


def is_late(run: Run, today: date) -> bool:
    """Whether ``run``, the newest one, was longer ago than a night may take."""
    last = date.fromisoformat(day_of(run_id(run)))
    return today - last > timedelta(days=STALE_SCHEDULE_DAYS)


def _day(version: str) -> date | None:
    """The day of which a version is the nightly; None for any other version."""
    found = _DAY_OF_NIGHTLY.search(version)
    if not found:
        return None
    try:
        return date(*map(int, found.groups()))
    except ValueError:
        return None
