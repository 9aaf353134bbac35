"""What a run is compared with: the run before it, and the newest release beside it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from compat.findings.changes import Comparison, Expected, Pair, compare
from compat.runs.history import Column, Entry, History, run_id
from compat.runs.ids import CellId
from compat.runs.model import Run, Source
from compat.runs.twins import stable_twins

PREVIOUS = "previous"
STABLE = "stable"

_STABLE = "stable"
_NIGHTLY = "nightly"


def comparisons(
    run: Run,
    entries: Sequence[Entry],
    history: History,
    expected: Expected,
    failed_controls: Mapping[CellId, str],
) -> dict[str, Comparison]:
    """``run`` against the run before it and against its stable twin, where there are such.

    ``entries`` are those of ``run``; ``history`` holds these and what came before.
    """
    found = {}
    earlier = [entry for entry in history.entries if entry.column.run < run_id(run)]
    if pairs := [Pair(old=old, new=new) for new in entries if (old := _followed(new, earlier))]:
        found[PREVIOUS] = compare(
            max(pair.old.column.run for pair in pairs),
            run_id(run),
            pairs,
            history=history,
            expected=expected,
            alone=_alone(entries, pairs),
            failed_controls=failed_controls,
        )
    if pairs := _with_stable(entries):
        found[STABLE] = compare(
            _labels(pair.old for pair in pairs) + _seen_elsewhere(run, pairs),
            _labels(pair.new for pair in pairs),
            pairs,
            history=history,
            expected=expected,
            failed_controls=failed_controls,
        )
    return found


def paired(old: Sequence[Entry], new: Sequence[Entry]) -> tuple[list[Pair], list[Column]]:
    """Each build with the one that it follows, and the columns that have no match."""
    pairs = [Pair(old=before, new=now) for now in new if (before := _followed(now, old))]
    used = {pair.old.key for pair in pairs}
    gone = [entry.column for entry in old if entry.key not in used]
    return pairs, [*_alone(new, pairs), *gone]


def of_two_builds(old: Iterable[Entry], new: Iterable[Entry]) -> list[Pair]:
    """What each subject says on two builds; none where device, GPU or Python differs."""
    alike = {entry.column.comparable: entry for entry in old}
    return [
        Pair(old=alike[entry.column.comparable], new=entry)
        for entry in new
        if entry.column.comparable in alike
    ]


def _alone(entries: Sequence[Entry], pairs: Sequence[Pair]) -> list[Column]:
    matched = {pair.new.key for pair in pairs}
    return [entry.column for entry in entries if entry.key not in matched]


def _followed(now: Entry, entries: Sequence[Entry]) -> Entry | None:
    """What was last known of the build that ``now`` follows; None where it follows none.

    It is the same build in an earlier run; else one of the same series and channel; else, for a
    nightly, any nightly, since the series moves on. On the same GPU, if on any.
    """
    column = now.column
    ways: tuple[Callable[[Column], bool], ...] = (
        lambda other: (other.subject, other.build) == (column.subject, column.build),
        lambda other: other.series == column.series,
        lambda other: other.channel == column.channel == _NIGHTLY and other.line == column.line,
    )
    for way in ways:
        found = [
            entry for entry in entries if entry.column.card == column.card and way(entry.column)
        ]
        if found:
            newest = max(found, key=lambda entry: (entry.column.run, entry.column.order))
            return _recalled(newest, found, now)
    return None


def _recalled(newest: Entry, found: Sequence[Entry], now: Entry) -> Entry:
    """``newest`` with what was last known of all that is asked now: it may be a part of a run."""
    endings = dict(newest.endings)
    answers = dict(newest.answers)
    older = sorted(found, key=lambda entry: (entry.column.run, entry.column.order), reverse=True)
    for entry in older:
        for check in now.endings.keys() & entry.endings.keys():
            if check in endings and endings[check].outcome.known:
                continue
            if check not in endings or entry.endings[check].outcome.known:
                endings[check] = entry.endings[check]
        for name in now.answers.keys() & entry.answers.keys():
            # A cell that failed, or whose record did not fit, said nothing; an older one may have.
            if name not in answers or answers[name].value is None:
                answers[name] = entry.answers[name]
    return Entry(column=newest.column, endings=endings, answers=answers)


def _with_stable(entries: Sequence[Entry]) -> list[Pair]:
    """Each build that is no release with the newest release; without such, that with the last.

    Of one subject, device, GPU and Python.
    """
    return [
        Pair(old=old, new=new)
        for old, new in stable_twins(
            entries,
            line=lambda entry: entry.column.comparable,
            is_release=lambda entry: entry.column.channel == _STABLE,
            order=_order,
        )
    ]


def _labels(entries: Iterable[Entry]) -> str:
    return ", ".join(dict.fromkeys(entry.column.label for entry in entries))


def _order(entry: Entry) -> tuple[object, ...]:
    return entry.column.order


def _seen_elsewhere(run: Run, pairs: Sequence[Pair]) -> str:
    """What else than the build differs between the sides of a pair."""
    sources = [[_sources(run, side.column) for side in (pair.old, pair.new)] for pair in pairs]
    differs = {
        "by another commit of this project": _differ(sources, lambda each: each.harness.commit),
        "on another host": _differ(sources, lambda each: each.host),
    }
    said = ", ".join(text for text, is_so in differs.items() if is_so)
    return f" (seen {said})" if said else ""


def _differ(pairs: Sequence[Sequence[Sequence[Source]]], of: Callable[[Source], object]) -> bool:
    return any(len({frozenset(map(of, side)) for side in sides}) > 1 for sides in pairs)


def _sources(run: Run, column: Column) -> list[Source]:
    """The executions that saw the cells of a build."""
    ids = {
        cell.seen_in
        for cell in run.cells
        if (cell.build, cell.subject) == (column.build, column.subject)
    }
    return [source for source in run.sources if source.id in ids]
