"""Records of: what a compilation costs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class PathTime:
    """Seconds of several compilations on one path."""

    path: str
    median_s: float
    min_s: float
    max_s: float
    repeats: int


@dataclass(frozen=True, kw_only=True)
class CompileTime:
    """Seconds of each path in turns; ``hits`` is how often a cache had something for one."""

    paths: tuple[PathTime, ...]
    hits: int


@dataclass(frozen=True, kw_only=True)
class Work:
    """The work of one compilation without noise.

    Attributes:
        calls: Of Python functions; the same each time on one build.
        instructions: By torch's own counter; None where the machine does not let it count.
    """

    calls: int
    instructions: int | None


RECORDS: Mapping[str, type] = {
    "cuda.compile_time": CompileTime,
    "cost.work": Work,
}
