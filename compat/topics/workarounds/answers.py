"""What the record of a workaround says."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from compat.runs.answers import Good, Said, text, verdict
from compat.topics.workarounds.records import Tried


def of_tried(record: Tried) -> Iterable[Said]:
    yield verdict("needed", bool(record.without), good=Good.NO)
    yield verdict("works", not record.with_it)
    yield text("failure", record.without or "none")


ANSWERS: Mapping[type, Callable[[Any], Iterable[Said]]] = {Tried: of_tried}
