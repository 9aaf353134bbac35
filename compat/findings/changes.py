"""What changed between two sides, answer by answer, grouped by what it says."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from compat.runs.answers import OUTCOME, Change, Kind, Scale, Value, relate
from compat.runs.history import UNTOLD, Column, Entry, History
from compat.runs.ids import AnswerId, CellId


@dataclass(frozen=True, kw_only=True)
class Pair:
    """A column as it was and as it is now, of one subject, device and Python."""

    old: Entry
    new: Entry


@dataclass(frozen=True, kw_only=True)
class Difference:
    """One answer on both sides of a pair."""

    answer: AnswerId
    scale: Scale
    before: Value | None
    after: Value | None
    change: Change
    expected: bool
    old: Column
    new: Column

    @property
    def alarms(self) -> bool:
        """Whether it turns a run red."""
        return self.change.alarms and not self.expected

    @property
    def cell(self) -> CellId:
        """The cell, or the group of cells, that says so now."""
        return CellId.of(self.answer.check, self.new.build, self.new.subject)


@dataclass(frozen=True, kw_only=True)
class Group:
    """Differences of one sort: the same thing said before, and the same thing said now.

    Attributes:
        about: The probe and the answer's name, without parameters: ``donation.copies.copies``.
        before: What it said; None where that differs among them, or is not known.
        first: The oldest build that says what is said now,
        last: and the newest build before it that says what was said before; as far as is known.
    """

    change: Change
    expected: bool
    about: str
    scale: Scale
    before: Value | None
    after: Value | None
    differences: tuple[Difference, ...]
    first: Column | None = None
    last: Column | None = None

    @property
    def alarms(self) -> bool:
        return self.change.alarms and not self.expected

    @property
    def cells(self) -> list[CellId]:
        return [difference.cell for difference in self.differences]

    @property
    def builds(self) -> list[str]:
        return list(dict.fromkeys(each.new.label for each in self.differences))


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """What is said now against what was said before.

    Attributes:
        old: What it is compared with, in words.
        new: What is compared, likewise.
        pairs: Which column is compared with which, as labels.
        lines: The devices and Pythons of these.
        alone: Labels of the columns of one side that the other side has no match for.
        totals: By change: the number of answers that both sides were asked for.
        only_old: Answers that only the older side was asked for,
        only_new: and those that only the newer side was.
        groups: All but what is the same; what alarms comes first.
        failed_controls: By cell: why a run that was compared proves nothing. Nothing alarms then.
    """

    old: str
    new: str
    pairs: tuple[tuple[str, str], ...]
    alone: tuple[str, ...]
    totals: Mapping[Change, int]
    only_old: int
    only_new: int
    groups: tuple[Group, ...]
    failed_controls: Mapping[CellId, str] = field(default_factory=dict)
    lines: tuple[tuple[str, str], ...] = ()

    @property
    def alarms(self) -> list[Group]:
        """What is lost or worse, and not expected."""
        return [] if self.failed_controls else [group for group in self.groups if group.alarms]

    @property
    def answers(self) -> int:
        """How many were compared."""
        return sum(self.totals.values())


Expected = Callable[[Difference], bool]


def compare(
    old: str,
    new: str,
    pairs: Sequence[Pair],
    *,
    history: History,
    expected: Expected,
    alone: Iterable[Column] = (),
    failed_controls: Mapping[CellId, str] | None = None,
) -> Comparison:
    """Relate every answer that both sides of ``pairs`` were asked for.

    ``history`` holds the columns of both sides and those before, ``expected`` says whether a loss
    is known and explained, and ``alone`` are the columns that have no match.
    """
    compared = [_compare(pair, expected) for pair in pairs]
    differences = [each for found in compared for each in found.differences]
    totals = sum((found.totals for found in compared), Counter[Change]())
    return Comparison(
        old=old,
        new=new,
        pairs=tuple((pair.old.column.label, pair.new.column.label) for pair in pairs),
        alone=tuple(column.label for column in alone),
        totals={change: totals[change] for change in Change},
        only_old=sum(found.only_old for found in compared),
        only_new=sum(found.only_new for found in compared),
        groups=tuple(_groups(differences, history)),
        failed_controls=failed_controls or {},
        lines=tuple(sorted({pair.new.column.build.line for pair in pairs})),
    )


@dataclass(frozen=True)
class _Compared:
    """How the answers of a pair relate; those that are the same are only counted."""

    differences: Sequence[Difference]
    totals: Counter[Change]
    only_old: int
    only_new: int


def _compare(pair: Pair, expected: Expected) -> _Compared:
    old, new = pair.old, pair.new
    cells = old.endings.keys() | new.endings.keys()
    differences = []
    totals: Counter[Change] = Counter()
    only_old = only_new = 0
    for name in {**new.told, **old.told}:
        of_one_cell = name.check in cells
        if not new.asked(name, of_one_cell=of_one_cell):
            only_old += 1
        elif not old.asked(name, of_one_cell=of_one_cell):
            only_new += 1
        else:
            was, now = old.told.get(name, UNTOLD), new.told.get(name, UNTOLD)
            change = relate(now.scale, was.value, now.value)
            totals[change] += 1
            if change is Change.SAME:
                continue
            difference = Difference(
                answer=name,
                scale=now.scale,
                before=was.value,
                after=now.value,
                change=change,
                expected=False,
                old=old.column,
                new=new.column,
            )
            known = change.alarms and expected(difference)
            differences.append(replace(difference, expected=True) if known else difference)
    return _Compared(differences, totals, only_old, only_new)


def differing(pair: Pair) -> list[Difference]:
    """The answers of a pair that are known on both sides and are not the same."""
    found = _compare(pair, lambda _: False).differences
    return [difference for difference in found if difference.change is not Change.UNKNOWN]


# Of these the values differ from check to check although they say the same.
_BY_CHANGE = frozenset({Kind.QUANTITY, Kind.NUMBERS})


def _groups(differences: Sequence[Difference], history: History) -> Iterable[Group]:
    grouped: dict[tuple[object, ...], list[Difference]] = {}
    for each in differences:
        if not _worth_a_group(each):
            continue
        values = () if each.scale.kind in _BY_CHANGE else (each.before, each.after)
        key = (each.change, each.expected, _about(each), *values)
        grouped.setdefault(key, []).append(each)
    lines: dict[tuple[str, str, str], list[Entry]] = {}
    for order in Change:
        for alike in grouped.values():
            if alike[0].change is order:
                yield _group(alike, history, lines)


def _worth_a_group(difference: Difference) -> bool:
    """What is unknown is told check by check: whatever its records would say is unknown with it."""
    if difference.change is not Change.UNKNOWN:
        return True
    return difference.answer.name == OUTCOME and difference.before != difference.after


def _about(difference: Difference) -> str:
    """A failure goes by its signature, whichever probe saw it; all else by probe and name."""
    name = difference.answer.name
    return OUTCOME if name == OUTCOME else f"{difference.answer.check.probe}.{name}"


def _group(
    alike: Sequence[Difference], history: History, lines: dict[tuple[str, str, str], list[Entry]]
) -> Group:
    some = alike[0]
    line = some.new.line
    if line not in lines:
        lines[line] = history.of_line(line)
    first, last = (None, None) if some.change is Change.UNKNOWN else _moments(some, lines[line])
    uniform = some.scale.kind not in _BY_CHANGE or len(alike) == 1
    return Group(
        change=some.change,
        expected=some.expected,
        about=_about(some),
        scale=some.scale,
        before=some.before if uniform else None,
        after=some.after if uniform else None,
        differences=tuple(alike),
        first=first,
        last=last,
    )


def _moments(difference: Difference, line: Sequence[Entry]) -> tuple[Column | None, Column | None]:
    """The oldest column from which on it says what it says now, and the last one before that."""
    first: Column | None = None
    for entry in reversed(line):
        if entry.column.order > difference.new.order or entry.column.is_beside(difference.new):
            continue
        said = value_in(entry, difference.answer)
        if said is None:
            continue
        if relate(difference.scale, difference.after, said) is Change.SAME:
            first = entry.column
        else:
            return first, entry.column
    return first, None


def value_in(entry: Entry, name: AnswerId) -> Value | None:
    """What an entry says of an answer; None where that is not known."""
    if name.name == OUTCOME:
        ending = entry.endings.get(name.check)
        return ending if ending is not None and ending.outcome.known else None
    told = entry.answers.get(name)
    return told.value if told else None
