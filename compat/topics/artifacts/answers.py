"""What the records of artifacts say."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from compat.runs.answers import Good, Said, count, text, verdict
from compat.topics.artifacts.records import (
    Across,
    Damaged,
    Kept,
    Load,
    Loaded,
    Placed,
    Reloaded,
    SavedByTwo,
)


def of_reloaded(record: Reloaded) -> Iterable[Said]:
    yield from _right(record)
    yield verdict("bitwise", record.bitwise if record.load is Load.RIGHT else None)
    yield count("handles", record.handles, good=Good.MORE)


def of_placed(record: Placed) -> Iterable[Said]:
    yield from _right(record)


def of_damaged(record: Damaged) -> Iterable[Said]:
    # Where a flipped bit lands is chance, and what must be refused is red as a cell.
    yield from _load(record)


def of_across(record: Across) -> Iterable[Said]:
    yield from _safe(record)


def of_saved_by_two(record: SavedByTwo) -> Iterable[Said]:
    yield from _safe(record)
    # Which of two savers at once comes first is chance.
    yield count("savers_failed", record.savers_failed, good=Good.NEITHER)


def of_kept(record: Kept) -> Iterable[Said]:
    yield count("artifacts", record.artifacts, good=Good.MORE)


def _right(record: Loaded) -> Iterable[Said]:
    """Where an artifact is meant to load."""
    yield verdict("right", record.load is Load.RIGHT)
    yield from _load(record)


def _safe(record: Loaded) -> Iterable[Said]:
    """Where it may be refused, and must not do harm."""
    yield verdict("safe", record.load not in {Load.WRONG, Load.CRASHED})
    yield from _load(record)


def _load(record: Loaded) -> Iterable[Said]:
    yield text("load", record.load.value)
    yield text("refusal", f"{record.raised}: {record.said}" if record.raised else "none")
    yield text("contract", " ".join(record.contract) or "as eager")
    yield count("compilations", record.compilations)


ANSWERS: Mapping[type, Callable[[Any], Iterable[Said]]] = {
    Reloaded: of_reloaded,
    Damaged: of_damaged,
    Placed: of_placed,
    Across: of_across,
    SavedByTwo: of_saved_by_two,
    Kept: of_kept,
}
