"""What the record of failures says."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from compat.runs.answers import Said, count, text, verdict
from compat.topics.failing.records import RIGHT, Aftermath, Failed, FailedBackward


def of_failed(record: Failed) -> Iterable[Said]:
    for place, after in record.places.items():
        yield from _of_aftermath(place, after)


def _of_aftermath(place: str, after: Aftermath) -> Iterable[Said]:
    yield verdict(f"reached.{place}", after.reached)
    yield text(f"raised.{place}", after.raised or None)
    yield text(f"broke.{place}", after.broke or None)
    yield text(f"signature.{place}", after.signature or None)
    yield text(f"changed.{place}", ", ".join(after.changed) or "nothing")
    yield verdict(f"clean.{place}", not after.left)
    yield text(f"left.{place}", ", ".join(after.left) or "nothing")
    yield verdict(f"usable.{place}", after.eager == after.copied == RIGHT)
    yield text(f"eager.{place}", after.eager)
    yield text(f"copied.{place}", after.copied)
    yield verdict(f"next_right.{place}", after.next == RIGHT)
    yield text(f"next.{place}", after.next)


def of_backward(record: FailedBackward) -> Iterable[Said]:
    yield text("stage", record.stage)
    yield text("raised", record.raised or None)
    yield text("signature", record.signature or None)
    yield verdict("clean", not record.left)
    yield text("left", ", ".join(record.left) or "nothing")
    yield count("gradients", record.gradients)
    yield verdict("usable", record.eager == RIGHT)
    yield text("eager", record.eager)
    yield text("again", record.again or None)
    yield verdict("next_right", record.next == RIGHT)
    yield text("next", record.next)


ANSWERS: Mapping[type, Callable[[Any], Iterable[Said]]] = {
    Failed: of_failed,
    FailedBackward: of_backward,
}
