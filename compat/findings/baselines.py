"""What a run is compared with: the run before it, and the newest release beside it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from compat.findings.compare import (
    BuildSeen,
    Comparison,
    Pair,
    compare,
    seen_in_history,
    seen_in_run,
)
from compat.findings.model import Findings
from compat.runs.history import Column, History, run_id
from compat.runs.model import Run, Source

PREVIOUS = "previous"
STABLE = "stable"

_STABLE = "stable"
_NIGHTLY = "nightly"


def comparisons(run: Run, findings: Findings, history: History) -> dict[str, Comparison]:
    """``run`` against the run before it and against its stable twin, where there are such.

    ``history`` holds the columns of ``run`` and of what came before.
    """
    builds = seen_in_run(run, findings)
    found = {}
    if pairs := _with_previous(builds, run, history):
        before = max(old.column.run for old, _ in pairs if old)
        found[PREVIOUS] = compare(before, run_id(run), pairs, history, findings.failed_controls)
    if pairs := _with_stable(builds, run):
        old, new = (
            ", ".join(dict.fromkeys(side.column.label for side in sides if side))
            for sides in zip(*pairs, strict=True)
        )
        old += _where_else(run, pairs)
        found[STABLE] = compare(old, new, pairs, history, findings.failed_controls)
    return found


def paired(old: Sequence[BuildSeen], new: Sequence[BuildSeen]) -> list[Pair]:
    """Each build with the one that it follows; two single builds with each other.

    Of what has no successor, only the devices that both sides have are looked at.
    """
    if len(old) == len(new) == 1:
        return [(old[0], new[0])]
    columns = [each.column for each in old]
    pairs: list[Pair] = []
    for now in new:
        before = _followed(now.column, columns)
        pairs.append((old[before[-1]] if before else None, now))
    return [*pairs, *_gone(old, pairs)]


def _with_previous(builds: Sequence[BuildSeen], run: Run, history: History) -> list[Pair]:
    """Each build with what was last known of the one that it follows."""
    columns = [column for column in history.columns if column.run < run_id(run)]
    pairs: list[Pair] = []
    for now in builds:
        before = _followed(now.column, columns)
        old = seen_in_history(history, before, now.checks) if before else None
        pairs.append((old, now))
    if not any(before for before, _ in pairs):
        return []
    newest = [
        seen_in_history(history, [index])
        for index, column in enumerate(columns)
        if column.run == columns[-1].run
    ]
    return [*pairs, *_gone(newest, pairs)]


def _followed(now: Column, columns: Sequence[Column]) -> list[int]:
    """Where among ``columns`` the build is that ``now`` follows, the latest one last.

    It is the same build in an earlier run; else one of the same line; else, for a nightly, any
    nightly, since the series moves on.
    """
    names = [(each.build, each.device) for each in columns]
    lines = [each.line for each in columns]
    kinds = [each.line[:3] if each.channel == _NIGHTLY else () for each in columns]
    for key, keys in (((now.build, now.device), names), (now.line, lines), (now.line[:3], kinds)):
        found = [index for index, each in enumerate(keys) if each == key]
        if found:
            return sorted(found, key=lambda index: (columns[index].run, columns[index].order))
    return []


def _gone(old: Sequence[BuildSeen], pairs: Sequence[Pair]) -> list[Pair]:
    used = {before.column for before, _ in pairs if before}
    devices = {now.column.device for _, now in pairs if now}
    return [
        (each, None) for each in old if each.column not in used and each.column.device in devices
    ]


def _with_stable(builds: Sequence[BuildSeen], run: Run) -> list[Pair]:
    """Each build that is no release with the newest release; without such, that with the last."""
    releases = [each for each in builds if each.column.channel == _STABLE]
    others = [each for each in builds if each.column.channel != _STABLE]
    subjects = others or _newest_of_each_kind(releases)
    pairs: list[Pair] = []
    for now in subjects:
        beside = [
            each
            for each in releases
            if each is not now and each.column.line[:2] == now.column.line[:2]
        ]
        if beside:
            pairs.append((max(beside, key=lambda each: each.column.order), now))
    return pairs


def _newest_of_each_kind(releases: Sequence[BuildSeen]) -> list[BuildSeen]:
    newest: dict[tuple[str, ...], BuildSeen] = {}
    for each in sorted(releases, key=lambda each: each.column.order):
        newest[each.column.line[:2]] = each
    return list(newest.values())


def _where_else(run: Run, pairs: Sequence[Pair]) -> str:
    """What else than the build differs between the sides of a pair."""
    sources = [[_sources(run, side) for side in sides if side] for sides in pairs]
    differs = {
        "by another commit of this project": _differ(sources, lambda each: each.harness.commit),
        "on another host": _differ(sources, lambda each: each.host),
    }
    said = ", ".join(text for text, is_so in differs.items() if is_so)
    return f" (seen {said})" if said else ""


def _differ(pairs: Sequence[Sequence[Sequence[Source]]], of: Callable[[Source], object]) -> bool:
    return any(len({frozenset(map(of, side)) for side in sides}) > 1 for sides in pairs)


def _sources(run: Run, seen: BuildSeen) -> list[Source]:
    """The executions that saw the cells of a build."""
    build, device = seen.column.build, seen.column.device
    ids = {cell.seen_in for cell in run.cells if (cell.build, cell.device) == (build, device)}
    return [source for source in run.sources if source.id in ids]
