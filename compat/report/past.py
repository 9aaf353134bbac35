"""The past as the page takes it: what each check said, told where it begins to say it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from compat.report.words import named, value_text
from compat.runs.answers import Change, Kind
from compat.runs.history import ABSENT, LETTERS, Column, History, Told
from compat.runs.ids import AnswerId, BuildId
from compat.runs.model import JSON


def past(history: History) -> JSON:
    """Columns, the lanes in which they follow one another, checks and answers.

    What several subjects said of one build in one run shares a column: a check names its subject.
    A text stands there once; what says it has its number.
    """
    columns: dict[tuple[str, BuildId], Column] = {}
    for entry in history.entries:
        columns.setdefault((entry.column.run, entry.column.build), entry.column)
    places = {key: number for number, key in enumerate(columns)}
    lanes: dict[tuple[str, ...], list[int]] = defaultdict(list)
    for number, column in enumerate(columns.values()):
        lanes[_lane(column)].append(number)
    texts: dict[str, int] = {}
    return {
        "columns": [
            {
                "run": column.run,
                "date": column.date,
                "build": column.build.name_and_python,
                "device": column.build.device,
                "version": column.version,
                "channel": column.channel,
            }
            for column in columns.values()
        ],
        "lanes": [
            {"name": _lane_name(columns, those), "columns": those} for those in lanes.values()
        ],
        "checks": list(_endings(history, places, lanes.values(), texts)),
        "answers": list(_answers(history, places, texts)),
        "texts": list(texts),
    }


def _lane(column: Column) -> tuple[str, ...]:
    """Without the subject."""
    return column.lane[1:]


def _lane_name(columns: Mapping[tuple[str, BuildId], Column], those: Sequence[int]) -> str:
    """Its build; the channel, where builds follow one another, with their Python if it is named."""
    column = list(columns.values())[those[-1]]
    if column.is_moving:
        python = column.build.python
        return f"{column.channel}-py{python}" if python else column.channel
    return column.build.name_and_python


def _endings(
    history: History,
    places: Mapping[tuple[str, BuildId], int],
    lanes: Iterable[Sequence[int]],
    texts: dict[str, int],
) -> Iterable[JSON]:
    """By check: from which columns on it ended how, letter and signature."""
    said: dict[str, dict[int, tuple[str, str]]] = defaultdict(dict)
    for entry in history.entries:
        place = places[entry.column.run, entry.column.build]
        for check, ending in entry.endings.items():
            letter = LETTERS[ending.outcome]
            said[named(check, entry.column.subject)][place] = (letter, ending.signature)
    absent = (ABSENT, "")
    for name in sorted(said):
        points: list[JSON] = []
        for lane in lanes:
            last = absent
            for place in lane:
                now = said[name].get(place, absent)
                if now != last:
                    letter, signature = now
                    number = [texts.setdefault(signature, len(texts))] if signature else []
                    points.append([place, letter, *number])
                last = now
        yield [name, points]


def _answers(
    history: History, places: Mapping[tuple[str, BuildId], int], texts: dict[str, int]
) -> Iterable[JSON]:
    """Those that changed in some lane: check, name, and from which columns on they say what."""
    points: dict[tuple[str, str], list[tuple[int, int]]] = defaultdict(list)
    changed: dict[tuple[str, str], None] = {}
    known: dict[tuple[str, ...], dict[AnswerId, Told]] = defaultdict(dict)
    for entry in history.entries:
        column = entry.column
        place = places[column.run, column.build]
        last = known[column.lane]
        for name, told in entry.answers.items():
            before = last.get(name)
            if told is before or told.value is None:
                continue
            if before and told.since(before.value) is Change.SAME:
                continue
            last[name] = told
            key = (named(name.check, column.subject), name.name)
            text = value_text(told.scale, told.value)
            if before is not None:
                changed[key] = None
                text = f"other {text}" if told.scale.kind is Kind.NUMBERS else text
            points[key].append((place, texts.setdefault(text, len(texts))))
    for key in sorted(changed):
        yield [*key, points[key]]
