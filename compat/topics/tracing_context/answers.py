"""What the records of the tracing context say."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from compat.runs.answers import Good, Said, text, verdict
from compat.topics.tracing_context.records import Fallback, Hidden, Needed, Reentrant, Restored


def of_needed(record: Needed) -> Iterable[Said]:
    yield verdict("needed", record.needed, good=Good.NO)
    yield text("failure", record.failure)


def of_hidden(record: Hidden) -> Iterable[Said]:
    yield verdict("finite", record.max_abs is not None)


def of_restored(record: Restored) -> Iterable[Said]:
    yield verdict("hidden", record.hidden)
    yield verdict("restored", record.restored)


def of_fallback(record: Fallback) -> Iterable[Said]:
    yield text("chosen", record.chosen)


def of_reentrant(record: Reentrant) -> Iterable[Said]:
    yield verdict("left_behind", record.left_behind, good=Good.NO)


ANSWERS: Mapping[type, Callable[[Any], Iterable[Said]]] = {
    Needed: of_needed,
    Hidden: of_hidden,
    Restored: of_restored,
    Fallback: of_fallback,
    Reentrant: of_reentrant,
}
