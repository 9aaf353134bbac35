"""What the record of a graph says."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from compat.runs.answers import Said, text, verdict
from compat.topics.corpus.records import GraphRun


def of_graph_run(record: GraphRun) -> Iterable[Said]:
    yield verdict("compiles", record.compiles)
    yield verdict("agrees", agrees(record))
    yield verdict("contract", None if record.failure else not record.contract)
    yield text("failure", record.failure or "none")


def agrees(record: GraphRun) -> bool | None:
    """Whether its numbers are right; None where there are none."""
    if record.failure:
        return None
    return record.share is not None and record.share <= 1 and not record.draws


ANSWERS: Mapping[type, Callable[[Any], Iterable[Said]]] = {GraphRun: of_graph_run}
