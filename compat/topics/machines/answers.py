"""What the record of calls on odd machines says."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from compat.runs.answers import Said, text, verdict
from compat.topics.machines.records import Calls


def of_calls(record: Calls) -> Iterable[Said]:
    """Each answer ends with what was odd."""
    for name, went in record.went.items():
        yield verdict(f"works.{name}", went.right is True)
        yield text(f"how.{name}", went.how)


ANSWERS: Mapping[type, Callable[[Any], Iterable[Said]]] = {Calls: of_calls}
