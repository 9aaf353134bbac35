"""What the record of the switch says."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from compat.runs.answers import Good, Said, count, verdict
from compat.topics.settings.records import Switch


def of_switch(record: Switch) -> Iterable[Said]:
    yield verdict("finite", record.max_abs is not None)
    yield verdict("same_bits", record.bitwise)
    yield verdict("switches", switches(record))
    yield count("legacy_calls", record.legacy_calls, good=Good.NEITHER)
    yield count("standalone_calls", record.standalone_calls, good=Good.NEITHER)


def switches(record: Switch) -> bool | None:
    """Whether the variable chose the path; None where the calls were not counted."""
    if record.legacy_calls is None or record.standalone_calls is None:
        return None
    return record.legacy_calls == 0 < record.standalone_calls


ANSWERS: Mapping[type, Callable[[Any], Iterable[Said]]] = {Switch: of_switch}
