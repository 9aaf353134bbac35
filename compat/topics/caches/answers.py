"""What the records of caches say."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from compat.runs.answers import Said, text, verdict
from compat.topics.caches.records import Again, Keys, Starts


def of_keys(record: Keys) -> Iterable[Said]:
    """Each answer ends with what was changed."""
    for name, again in record.differ.items():
        yield verdict(f"key_differs.{name}", None if again.reused is None else not again.reused)
        yield from _again(name, again)
    for name, again in record.same.items():
        yield verdict(f"key_same.{name}", again.reused)
        yield from _again(name, again)
    for name, again in record.free.items():
        yield from _again(name, again)


def of_starts(record: Starts) -> Iterable[Said]:
    """Each answer ends with what became of the caches, or with what was compiled."""
    for name, again in record.starts.items():
        yield verdict(f"reused.{name}", again.reused is True)
        yield from _again(name, again)


def _again(name: str, again: Again) -> Iterable[Said]:
    yield verdict(f"right.{name}", again.right is True)
    yield text(f"how.{name}", again.how)


ANSWERS: Mapping[type, Callable[[Any], Iterable[Said]]] = {Keys: of_keys, Starts: of_starts}
