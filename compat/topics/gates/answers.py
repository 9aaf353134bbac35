"""What the records of gates say."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from compat.runs.answers import Good, Said, text, verdict
from compat.topics.gates.records import Capability, PatchTarget, SharedFakeMode


def of_capability(record: Capability) -> Iterable[Said]:
    yield verdict("available", record.capability)
    yield verdict("used", record.gate and record.capability)
    yield text("floor", record.floor or "none")


def of_shared_fake_mode(record: SharedFakeMode) -> Iterable[Said]:
    yield verdict("finite", record.max_abs is not None)


def of_patch_target(record: PatchTarget) -> Iterable[Said]:
    yield verdict("reaches", record.reaches)
    yield verdict("raises", bool(record.failure), good=Good.NO)


ANSWERS: Mapping[type, Callable[[Any], Iterable[Said]]] = {
    Capability: of_capability,
    SharedFakeMode: of_shared_fake_mode,
    PatchTarget: of_patch_target,
}
