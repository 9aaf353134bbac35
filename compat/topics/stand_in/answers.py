"""What the records of the ShapeEnv stand-in say."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from compat.runs.answers import Good, Said, count, text, verdict
from compat.topics.stand_in.records import Needs, Reads


def of_reads(record: Reads) -> Iterable[Said]:
    yield text("reads", ", ".join(record.reads))
    yield count("unknown", len(record.unknown), unit="members")


def of_needs(record: Needs) -> Iterable[Said]:
    yield verdict("needed", record.needed, good=Good.NO)
    yield verdict("read", record.read, good=Good.NEITHER)
    yield text("failure", record.failure)


ANSWERS: Mapping[type, Callable[[Any], Iterable[Said]]] = {Reads: of_reads, Needs: of_needs}
