"""What changed between what was seen before and what is seen now, grouped by signature."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum

from compat.findings.lookup import is_on
from compat.findings.model import Findings
from compat.runs.failures import BAD, signature_of_cell
from compat.runs.history import ABSENT, OUTCOMES, WHOLE, Column, History, column_of, whole_of
from compat.runs.model import Cell, Outcome, Run, Status


class Change(str, Enum):
    """How a check ended now, against how it ended before. Every check compared is one of these."""

    NEW = "new"
    STILL_THERE = "still there"
    FIXED = "fixed"
    NEWLY_SILENT = "newly silent"  # it ended badly, and was not run this time
    FLAKY = "flaky"  # it ended badly at first, and well when it was tried again
    EXPECTED = "expected"
    NOT_SIGNAL = "not signal"  # it was not run: nothing to do with the build
    FINE = "fine"


# Nothing was asked, so nothing is known.
_SILENT = frozenset({Outcome.NOT_RUN, Outcome.SKIP})


@dataclass(frozen=True, kw_only=True)
class Seen:
    """How a check ended on a build.

    Attributes:
        what: The signature of what ended badly, the reason of what was not run.
        expected: Whether it ended badly as expected.
    """

    outcome: Outcome
    what: str = ""
    flaky: bool = False
    expected: bool = False
    params: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class BuildSeen:
    """All that was seen of a build, by check; the build itself is among the checks."""

    column: Column
    checks: Mapping[str, Seen]


# A build as it was before and as it is now; None where there is no such build.
Pair = tuple[BuildSeen | None, BuildSeen | None]


@dataclass(frozen=True, kw_only=True)
class Group:
    """Everything that changed in the same way for the same reason.

    Attributes:
        what: The signature; for what is not signal, why it was not run.
        cells: Ids of cells; ``build 2.13.0`` for a build as a whole.
        where: By ``build``, ``probe`` and each parameter: its values among the cells.
        first_seen: The oldest build in which one of these checks had this signature, by time.
        last_passed: The newest version before it in which these checks passed, as far as it has
            what they ask about.
    """

    change: Change
    what: str
    cells: tuple[str, ...]
    where: Mapping[str, tuple[str, ...]]
    first_seen: Column | None
    last_passed: Column | None


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """What is seen now against what was seen before.

    Attributes:
        old: What it is compared with, in words.
        new: What is compared, likewise.
        builds: Which build is compared with which, as labels; empty where there is none.
        totals: By change: the number of checks. Their sum is ``checks``.
        groups: All but what is fine; the new ones first.
        failed_controls: By cell: why a run that was compared says nothing. Nothing counts as new
            then: what would have is not signal.
    """

    old: str
    new: str
    builds: tuple[tuple[str, str], ...]
    checks: int
    totals: Mapping[str, int]
    groups: tuple[Group, ...]
    failed_controls: Mapping[str, str]

    @property
    def new_groups(self) -> list[Group]:
        return [group for group in self.groups if group.change is Change.NEW]


def seen_in_run(run: Run, findings: Findings) -> list[BuildSeen]:
    """All builds of a run, but for those that could not be had."""
    expected = set(findings.expected)
    seen = []
    for build in run.builds:
        if build.status is not Status.UNAVAILABLE:
            outcome, what = whole_of(build)
            cells = {
                cell.check: _seen(cell, expected=cell.id in expected)
                for cell in run.cells
                if is_on(cell, build)
            }
            checks = {WHOLE: Seen(outcome=outcome, what=what), **cells}
            seen.append(BuildSeen(column=column_of(run, build), checks=checks))
    return seen


def _seen(cell: Cell, *, expected: bool) -> Seen:
    first = (cell.first.signature or cell.first.reason) if cell.first and cell.flaky else ""
    return Seen(
        outcome=cell.outcome,
        what=signature_of_cell(cell) or first or cell.reason,
        flaky=cell.flaky,
        expected=expected,
        params=cell.params,
    )


def seen_in_history(
    history: History, indices: Sequence[int], asked: Container[str] = ()
) -> BuildSeen:
    """The last of some columns, oldest first, with what they last knew of each of its checks.

    And of those that were ``asked`` now: the last column may be of a part of the matrix.
    """
    newest = indices[-1]
    checks = {}
    for check, letters in history.outcomes.items():
        planned = [index for index in indices if letters[index] != ABSENT]
        if planned and (planned[-1] == newest or check in asked):
            known = [index for index in planned if OUTCOMES[letters[index]] not in _SILENT]
            checks[check] = _recall(history, check, (known or planned)[-1])
    return BuildSeen(column=history.columns[newest], checks=checks)


def _recall(history: History, check: str, index: int) -> Seen:
    return Seen(
        outcome=OUTCOMES[history.outcomes[check][index]],
        what=history.signatures.get(check, {}).get(str(index), ""),
    )


def compare(
    old: str,
    new: str,
    pairs: Sequence[Pair],
    history: History,
    failed_controls: Mapping[str, str],
) -> Comparison:
    """Sort every check of ``pairs``; ``history`` holds all their columns and those before."""
    known = {seen.what for before, _ in pairs for seen in _bad(before)}
    totals: Counter[Change] = Counter()
    groups: dict[tuple[Change, str], list[_Changed]] = {}
    for before, now in pairs:
        for changed in _changes(before, now, known):
            change = changed.change
            if failed_controls and change is Change.NEW:
                change = Change.NOT_SIGNAL
            totals[change] += 1
            if change is not Change.FINE:
                groups.setdefault((change, changed.what), []).append(changed)
    return Comparison(
        old=old,
        new=new,
        builds=tuple((_label(before), _label(now)) for before, now in pairs),
        checks=totals.total(),
        totals={change.value: totals[change] for change in Change},
        groups=tuple(
            _group(change, what, groups[change, what], history)
            for order in Change
            for change, what in groups
            if change is order
        ),
        failed_controls=failed_controls,
    )


@dataclass(frozen=True, kw_only=True)
class _Changed:
    change: Change
    what: str
    check: str
    column: Column
    params: Mapping[str, str]


def _changes(
    before: BuildSeen | None, now: BuildSeen | None, known: Iterable[str]
) -> Iterable[_Changed]:
    old, new = (side.checks if side else {} for side in (before, now))
    column = now.column if now else before.column if before else None
    assert column is not None, "a pair of nothing"  # noqa: S101
    for check in {**new, **old}:
        was, became = old.get(check), new.get(check)
        change = _change(was, became, known)
        told = was if change in {Change.FIXED, Change.NEWLY_SILENT} else became
        yield _Changed(
            change=change,
            what=told.what if told else "not asked this time",
            check=check,
            column=column,
            params=(became or was or Seen(outcome=Outcome.NOT_RUN)).params,
        )


def _change(was: Seen | None, became: Seen | None, known: Iterable[str]) -> Change:
    was_bad = was is not None and was.outcome in BAD
    if became is not None and became.expected:
        return Change.EXPECTED
    if became is None or became.outcome in _SILENT:
        return Change.NEWLY_SILENT if was_bad else Change.NOT_SIGNAL
    if became.outcome in BAD:
        if was is None or was.outcome in _SILENT:
            # Nothing is known of the check itself, so the signature decides.
            return Change.STILL_THERE if became.what in known else Change.NEW
        return Change.STILL_THERE if was_bad and was.what == became.what else Change.NEW
    if became.flaky:
        return Change.FLAKY
    return Change.FIXED if was_bad else Change.FINE


def _bad(seen: BuildSeen | None) -> list[Seen]:
    return [each for each in seen.checks.values() if each.outcome in BAD] if seen else []


def _group(change: Change, what: str, changed: Sequence[_Changed], history: History) -> Group:
    where: dict[str, dict[str, None]] = {"build": {}, "probe": {}}
    for each in changed:
        values = {"build": each.column.label, "probe": each.check.partition("[")[0]}
        for name, value in {**values, **each.params}.items():
            where.setdefault(name, {})[value] = None
    moments = change not in {Change.NOT_SIGNAL, Change.FLAKY}
    first = _first_seen(what, changed, history) if moments else None
    return Group(
        change=change,
        what=what,
        cells=tuple(_cell_id(each) for each in changed),
        where={name: tuple(values) for name, values in where.items()},
        first_seen=first,
        last_passed=_last_passed(changed, first, history) if first else None,
    )


def _first_seen(what: str, changed: Sequence[_Changed], history: History) -> Column | None:
    checks = dict.fromkeys(each.check for each in changed)
    found = [
        history.columns[int(index)]
        for check in checks
        for index, signature in history.signatures.get(check, {}).items()
        if signature == what
    ]
    return min(found, key=lambda column: (column.run, column.order), default=None)


def _last_passed(changed: Sequence[_Changed], first: Column, history: History) -> Column | None:
    """Of an older version, or of an older run of the same one, under the same Python."""
    checks = dict.fromkeys(each.check for each in changed)
    found = []
    for index, column in enumerate(history.columns):
        if column.order < first.order and column.line[:2] == first.line[:2]:
            letters = {history.outcomes[check][index] for check in checks} - {ABSENT}
            outcomes = {OUTCOMES[letter] for letter in letters} - {Outcome.UNSUPPORTED}
            if outcomes == {Outcome.PASS}:
                found.append(column)
    return max(found, key=lambda column: column.order, default=None)


def _label(seen: BuildSeen | None) -> str:
    return seen.column.label if seen else ""


def _cell_id(changed: _Changed) -> str:
    if changed.check == WHOLE:
        return f"build {changed.column.label}"
    return f"{changed.check}@{changed.column.build}-{changed.column.device}"
