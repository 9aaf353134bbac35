"""What the records of context inputs say."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from compat.runs.answers import Good, Said, count, text, verdict
from compat.topics.inputs.records import Inputs, OnModel


def of_inputs(record: Inputs) -> Iterable[Said]:
    ran = bool(record.returned)
    yield verdict("compiles", record.compiles)
    yield text("failure", record.failure)
    yield count("leaks", len(record.leaks), unit="attributes")
    yield text("leaking", ", ".join(record.leaks))
    yield text("returned", record.returned if ran else None)
    yield verdict("finite", record.max_abs is not None if ran else None)


def of_model(record: OnModel) -> Iterable[Said]:
    yield verdict("compiles", not record.unhidden)
    yield verdict("compiles_hidden", not record.hidden)
    yield verdict("needed", record.needed, good=Good.NO)
    yield text("failure", record.unhidden or "none")
    yield text("failure_hidden", record.hidden or "none")


ANSWERS: Mapping[type, Callable[[Any], Iterable[Said]]] = {Inputs: of_inputs, OnModel: of_model}
