"""The records of all topics, by the probe that fills them. The standard library only: see there."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, cast

from compat.topics.artifacts import records as artifacts
from compat.topics.caches import records as caches
from compat.topics.corpus import records as corpus
from compat.topics.cost import records as cost
from compat.topics.devices import records as devices
from compat.topics.donation import records as donation
from compat.topics.engine import records as engine
from compat.topics.failing import records as failing
from compat.topics.gates import records as gates
from compat.topics.inputs import records as inputs
from compat.topics.machines import records as machines
from compat.topics.parity import records as parity
from compat.topics.reach import records as reach
from compat.topics.settings import records as settings
from compat.topics.stand_in import records as stand_in
from compat.topics.subjects import records as subjects
from compat.topics.surface import records as surface
from compat.topics.tracing_context import records as tracing_context
from compat.topics.training import records as training
from compat.topics.workarounds import records as workarounds

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

RECORDS: Mapping[str, type] = {
    probe: kind
    for topic in (
        subjects,
        engine,
        gates,
        donation,
        tracing_context,
        inputs,
        stand_in,
        workarounds,
        parity,
        training,
        failing,
        artifacts,
        caches,
        settings,
        machines,
        surface,
        reach,
        corpus,
        cost,
        devices,
    )
    for probe, kind in topic.RECORDS.items()
}


class WrongRecordError(TypeError):
    """A probe recorded something else than what its topic expects of it."""


def encode(probe: str, record: object) -> dict[str, Any]:
    """A probe's record as JSON values: by the name of its type, its fields.

    A number that is not finite is written as None.

    Raises:
        WrongRecordError: It is not of the type that the probe's topic expects.
    """
    expected = RECORDS.get(probe)
    if type(record) is not expected:
        wanted = expected.__name__ if expected else "no record at all"
        raise WrongRecordError(f"{probe} recorded {record!r}; its topic expects {wanted}")
    return {expected.__name__: _finite(asdict(cast("DataclassInstance", record)))}


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {name: _finite(each) for name, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(each) for each in value]
    return value
