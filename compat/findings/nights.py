"""What each run answered otherwise than what was known before it, by device."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from compat.runs.answers import ENDING, Change
from compat.runs.history import Entry, History, Told, day_of


@dataclass(frozen=True, kw_only=True)
class Night:
    """One run on one device.

    Attributes:
        date: The day on which it began, YYYY-MM-DD.
        changes: How many answers relate in which way to what was last known of them.
    """

    run: str
    date: str
    changes: Mapping[Change, int]

    @property
    def compared(self) -> int:
        return sum(self.changes.values())


def nights(history: History) -> dict[str, list[Night]]:
    """By device, oldest first: every build with itself in the runs before, nightlies in a row."""
    known: dict[tuple[str, ...], dict[str, Told]] = {}
    counts: dict[str, dict[str, Counter[Change]]] = {}
    for entry in history.entries:
        column = entry.column
        changes = counts.setdefault(column.build.device, {}).setdefault(column.run, Counter())
        before = known.setdefault(column.lane, {})
        for name, told in _told(entry):
            if name in before:
                changes[told.since(before[name].value)] += 1
            before[name] = told
    return {
        device: [Night(run=run, date=day_of(run), changes=changes) for run, changes in runs.items()]
        for device, runs in counts.items()
    }


def _told(entry: Entry) -> Iterable[tuple[str, Told]]:
    """What an entry says, as far as it is known: by check how it ended, by answer what it is."""
    for check, ending in entry.endings.items():
        if ending.outcome.known:
            yield check, Told(ENDING, ending)
    for name, told in entry.answers.items():
        if told.value is not None:
            yield name, told
