"""Records of: what donating the graph saves, and what it leaves behind."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Flag:
    """Whether the gate is open, and in how many calls of standalone_compile the flag was passed."""

    gate: bool
    passed: int
    calls: int


@dataclass(frozen=True, kw_only=True)
class Copies:
    """How many deep copies of the graph a path made."""

    copies: int


@dataclass(frozen=True, kw_only=True)
class Outputs:
    """How far donating moved the outputs; None where that is not finite.

    Attributes:
        tuned: Whether each compilation tunes its kernels anew: then bits may differ by chance.
    """

    max_abs: float | None
    bitwise: bool
    tuned: bool


@dataclass(frozen=True, kw_only=True)
class Donor:
    """What a compilation did to the graph it was given."""

    nodes_before: int
    nodes_after: int
    code_changed: bool


@dataclass(frozen=True, kw_only=True)
class Reuse:
    """A donated graph, compiled once more: compilations of a piece, distance from eager."""

    max_abs: float | None
    compilations: int


@dataclass(frozen=True, kw_only=True)
class Afterwards:
    """Whether a graph could be used in a way before it was compiled, and afterwards.

    Attributes:
        works_before: Whether it raised nothing and computed what eager does.
        works: Whether it does so afterwards, and what it returns has the structure it had before.
        failure: The signature of what it raised afterwards; empty where it raised nothing.
        max_abs: How far it then was from eager; None where it returned nothing, or nothing finite.
        returned_before: The types of what it returned, as ``tuple(Tensor)``; empty where it raised.
        returned: The same, afterwards.
    """

    works_before: bool
    works: bool
    failure: str
    max_abs: float | None
    returned_before: str
    returned: str


@dataclass(frozen=True, kw_only=True)
class Time:
    """Seconds that a copy of the graph and a compilation take, and how many donation saves.

    Attributes:
        interval_s: Of the saving, 95 %; None where there was one pair only.
        measurable: Whether that leaves zero out.
    """

    copy_s: float
    compile_s: float
    saved_s: float
    interval_s: tuple[float, float] | None
    pairs: int
    measurable: bool | None


@dataclass(frozen=True, kw_only=True)
class Memory:
    """MB by which compiling a module with large buffers raises the process's peak."""

    kept_mb: int
    donated_mb: int
    buffer_mb: int


@dataclass(frozen=True, kw_only=True)
class DeviceMemory:
    """MB by which it raises the peaks of device memory, allocated and reserved."""

    buffer_mb: int
    kept_mb: int
    donated_mb: int
    kept_reserved_mb: int
    donated_reserved_mb: int


RECORDS: Mapping[str, type] = {
    "donation.flag": Flag,
    "donation.copies": Copies,
    "donation.outputs": Outputs,
    "donation.donor": Donor,
    "donation.reuse": Reuse,
    "donation.afterwards": Afterwards,
    "donation_cost.time": Time,
    "donation_cost.memory": Memory,
    "cuda.donation_memory": DeviceMemory,
}
