"""What the records of private names say."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from compat.runs.answers import Said, count, text, verdict
from compat.topics.surface.records import Name


def of_name(record: Name) -> Iterable[Said]:
    yield verdict("there", record.there)
    yield text("signature", record.signature if record.there else None)
    yield count("refused", len(record.refused) if record.there else None, unit="parameters")


ANSWERS: Mapping[type, Callable[[Any], Iterable[Said]]] = {Name: of_name}
