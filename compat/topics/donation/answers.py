"""What the records of donation say."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from compat.runs.answers import Good, Said, count, quantity, text, verdict
from compat.topics.donation.records import (
    Afterwards,
    Copies,
    DeviceMemory,
    Donor,
    Flag,
    Memory,
    Outputs,
    Reuse,
    Time,
)

# Peaks count the module's own 256 MB once, so that a copy of them is twice as much. On one host
# they were within 5 % from 2.12.1 to 2.15.0; those of a GPU's memory were equal to the MB.
_HOST_NOISE = 0.2
_DEVICE_NOISE = 0.1


def of_flag(record: Flag) -> Iterable[Said]:
    asked = record.calls > 0
    expected = record.calls if record.gate else 0
    yield verdict("as_gated", record.passed == expected if asked else None)
    yield verdict("passed", record.passed > 0 if asked else None, good=Good.NEITHER)


def of_copies(record: Copies) -> Iterable[Said]:
    yield count("copies", record.copies, unit="copies")


def of_outputs(record: Outputs) -> Iterable[Said]:
    yield verdict("bitwise", record.bitwise, good=Good.NEITHER if record.tuned else Good.YES)
    yield verdict("finite", record.max_abs is not None)


def of_donor(record: Donor) -> Iterable[Said]:
    yield verdict("rewritten", record.code_changed, good=Good.NEITHER)


def of_reuse(record: Reuse) -> Iterable[Said]:
    yield count("compilations", record.compilations, good=Good.NEITHER)
    yield verdict("finite", record.max_abs is not None)


def of_afterwards(record: Afterwards) -> Iterable[Said]:
    yield verdict("works_before", record.works_before)
    yield verdict("works", record.works)
    yield text("returned_before", record.returned_before)
    yield text("returned", record.returned)
    yield text("failure", record.failure)


def of_time(_: Time) -> Iterable[Said]:
    """Seconds are information: two runs of one build differ in them."""
    return ()


def of_memory(record: Memory) -> Iterable[Said]:
    yield _peak("peak_kept", record.buffer_mb + record.kept_mb, _HOST_NOISE)
    yield _peak("peak_donated", record.buffer_mb + record.donated_mb, _HOST_NOISE)


def of_device_memory(record: DeviceMemory) -> Iterable[Said]:
    owned = record.buffer_mb
    yield _peak("peak_kept", owned + record.kept_mb, _DEVICE_NOISE)
    yield _peak("peak_donated", owned + record.donated_mb, _DEVICE_NOISE)
    yield _peak("reserved_kept", owned + record.kept_reserved_mb, _DEVICE_NOISE)
    yield _peak("reserved_donated", owned + record.donated_reserved_mb, _DEVICE_NOISE)


def _peak(name: str, megabytes: int, noise: float) -> Said:
    return quantity(name, megabytes, noise=noise, unit="MB")


ANSWERS: Mapping[type, Callable[[Any], Iterable[Said]]] = {
    Flag: of_flag,
    Copies: of_copies,
    Outputs: of_outputs,
    Donor: of_donor,
    Reuse: of_reuse,
    Afterwards: of_afterwards,
    Time: of_time,
    Memory: of_memory,
    DeviceMemory: of_device_memory,
}
