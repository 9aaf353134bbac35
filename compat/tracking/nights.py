"""What becomes of the tracking issues, decided from the history alone.

A device's issue is opened by a signature that was seen night after night, and closed by good
nights. Every decision is made anew from all nights there are, so that nothing needs remembering.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import Enum

from compat.runs.history import ABSENT, LETTERS, WHOLE, Column, History, day_of, run_id
from compat.runs.model import Outcome, Run, Status

GOOD_NIGHTS = 2
STALE_INDEX_DAYS = 7
STALE_SCHEDULE_DAYS = 2

_NIGHTLY = "nightly"
_CHANNELS = frozenset({_NIGHTLY, "test"})
_RED = {
    LETTERS[each]: each for each in (Outcome.FAIL, Outcome.ERROR, Outcome.CRASH, Outcome.TIMEOUT)
}
_SILENT = frozenset({ABSENT, LETTERS[Outcome.NOT_RUN], LETTERS[Outcome.SKIP]})

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
class Trouble:
    """A signature that was seen on a device, since the last time that all was well.

    Attributes:
        nights: In how many nights in a row; those in which its checks were not run do not count.
        checks: Where the last of these nights saw it.
        seen_on: The newest build that showed it.
        first_bad: The build that showed it first,
        last_good: and the last build of the same channel before, in which that check passed.
    """

    signature: str
    standing: Standing
    nights: int
    checks: tuple[str, ...]
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
        seen: By unexpected signature, by check: the column that showed it.
        ran: The checks of which something is known.
    """

    columns: tuple[Column, ...]
    seen: Mapping[str, Mapping[str, int]]
    ran: frozenset[str]


@dataclass
class _Spell:
    """The nights in a row in which a signature was seen."""

    nights: list[Mapping[str, int]] = field(default_factory=list)
    over: bool = False

    @property
    def checks(self) -> set[str]:
        return {check for night in self.nights for check in night}


def track(
    history: History, device: str, nights: int, expected: Container[tuple[str, str]] = ()
) -> Tracking | None:
    """What should become of the issue of ``device``; None where there was no night.

    Args:
        history: All that is known.
        device: ``cpu`` or ``cuda``.
        nights: In how many nights in a row a signature must be seen to open the issue.
        expected: Checks with the signature that is known of them: no trouble.
    """
    is_open = confirmed = False
    good = 0
    spells: dict[str, _Spell] = {}
    night = None
    for night in _nights(history, device, expected):
        if not is_open:
            spells = {name: spell for name, spell in spells.items() if not spell.over}
        for name, spell in spells.items():
            spell.over = spell.over or (name not in night.seen and spell.checks <= night.ran)
        for name, seen in night.seen.items():
            if name not in spells or spells[name].over:
                spells[name] = _Spell()
            spells[name].nights.append(seen)
        long = {name: spell for name, spell in spells.items() if len(spell.nights) >= nights}
        if night.seen:
            good = 0
        elif night.ran and all(spell.checks <= night.ran for spell in long.values()):
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


def _nights(
    history: History, device: str, expected: Container[tuple[str, str]]
) -> Iterator[_Night]:
    dates: dict[str, dict[str, list[int]]] = {}
    for index, column in enumerate(history.columns):
        if column.device == device and column.channel in _CHANNELS:
            dates.setdefault(column.date, {}).setdefault(column.channel, []).append(index)
    earlier = _earlier_nights(history)
    for day in sorted(dates):
        newest = [index for indices in dates[day].values() for index in _newest(history, indices)]
        yield _night(history, newest, earlier, expected)


def _newest(history: History, indices: list[int]) -> list[int]:
    """Those of the newest version; several, where it was run again or under several Pythons."""
    version = max(history.columns[index].order[:2] for index in indices)
    return [index for index in indices if history.columns[index].order[:2] == version]


def _night(
    history: History,
    indices: list[int],
    earlier: Mapping[int, Sequence[int]],
    expected: Container[tuple[str, str]],
) -> _Night:
    seen: dict[str, dict[str, int]] = {}
    ran = set()
    for check, letters in history.outcomes.items():
        # Of a build that was run again counts what was seen last.
        last = {
            history.columns[index].build: index
            for index in indices
            if letters[index] not in _SILENT
        }
        for index in last.values():
            signature = _signature(history, check, index)
            if check == WHOLE and signature.startswith(_INFRASTRUCTURE):
                continue
            if _is_no_news(history, check, index, earlier[index]):
                continue
            ran.add(check)
            if signature and (check, signature) not in expected:
                seen.setdefault(signature, {})[check] = index
    builds = {history.columns[index].build: history.columns[index] for index in indices}
    return _Night(columns=tuple(builds.values()), seen=seen, ran=frozenset(ran))


def _is_no_news(history: History, check: str, index: int, earlier: Sequence[int]) -> bool:
    """Whether a build had said the same of a check in an ``earlier`` night, the last one first.

    Where some of its checks were run again the others were taken over, and were not seen twice.
    """
    letters = history.outcomes[check]
    said = (letters[index], _signature(history, check, index))
    for before in earlier:
        if letters[before] not in _SILENT:
            return said == (letters[before], _signature(history, check, before))
    return False


def _earlier_nights(history: History) -> dict[int, list[int]]:
    """By column: those of the very same build on earlier dates, the last one first."""
    same: dict[tuple[str, str, str], list[int]] = {}
    earlier = {}
    for index, column in enumerate(history.columns):
        known = same.setdefault((column.build, column.device, column.git_version), [])
        earlier[index] = [each for each in known if history.columns[each].date < column.date]
        known.insert(0, index)
    return earlier


def _signature(history: History, check: str, index: int) -> str:
    """Of what ended badly; the outcome's name where nothing was raised."""
    outcome = _RED.get(history.outcomes[check][index])
    if outcome is None:
        return ""
    return history.signatures.get(check, {}).get(str(index), "") or outcome.value


def _trouble(history: History, signature: str, spell: _Spell, newest: _Night) -> Trouble:
    first, last = spell.nights[0], spell.nights[-1]
    check = min(first)
    if signature in newest.seen:
        standing = Standing.NEW if len(spell.nights) == 1 else Standing.STILL_THERE
    else:
        standing = Standing.GONE if spell.over else Standing.NOT_RUN
    return Trouble(
        signature=signature,
        standing=standing,
        nights=len(spell.nights),
        checks=tuple(sorted(last)),
        seen_on=history.columns[last[min(last)]],
        first_bad=history.columns[first[check]],
        last_good=_last_good(history, check, first[check]),
    )


def _weight(trouble: Trouble) -> tuple[int, int, str]:
    return (list(Standing).index(trouble.standing), -trouble.nights, trouble.signature)


def _last_good(history: History, check: str, bad: int) -> Column | None:
    letters = history.outcomes[check]
    line = (history.columns[bad].device, history.columns[bad].channel)
    for index in reversed(range(bad)):
        column = history.columns[index]
        if (column.device, column.channel) == line and letters[index] == LETTERS[Outcome.PASS]:
            return column
    return None


def known_signatures(
    history: History, run: str, expected: Container[str]
) -> frozenset[tuple[str, str]]:
    """The checks with the signatures of ``expected``, ids of cells of one run, on any device."""
    return frozenset(
        (check, _signature(history, check, index))
        for index, column in enumerate(history.columns)
        if column.run == run
        for check in history.outcomes
        if f"{check}@{column.build}-{column.device}" in expected
    )


def watch_index(history: History, run: Run) -> dict[str, str]:
    """By device: the newest nightly there has been, where for a week nothing newer has come.

    Of the devices that ``run``, the newest one, was made for.
    """
    nightlies = {
        *((each.device, each.build) for each in history.columns if each.channel == _NIGHTLY),
        # The index had it, also where no machine has run it.
        *((each.device.kind, each.id) for each in run.builds if each.channel == _NIGHTLY),
    }
    ran = {build.device.kind for build in run.builds if build.status is not Status.UNAVAILABLE}
    oldest = date.fromisoformat(day_of(run_id(run))) - timedelta(days=STALE_INDEX_DAYS)
    stale = {}
    for device in sorted(ran):
        dated = [(day, name) for kind, name in nightlies if kind == device and (day := _day(name))]
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
