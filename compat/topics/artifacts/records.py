"""Records of: what becomes of saved artifacts: reloaded, damaged, moved, or another build's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum


class Load(str, Enum):
    """What became of the load of a saved artifact."""

    RIGHT = "right"
    REFUSED = "refused"
    REFUSED_UNCLEARLY = "refused-unclearly"  # without a word on what is wrong
    WRONG = "wrong"
    CRASHED = "crashed"


@dataclass(frozen=True, kw_only=True)
class Reloaded:
    """What a new process made of what another one saved."""

    max_abs: float | None
    bitwise: bool
    handles: int
    compilations: int


@dataclass(frozen=True, kw_only=True)
class Loaded:
    """How the load of an artifact ended; ``said`` is a signature, or how far outputs are off."""

    load: Load
    said: str


@dataclass(frozen=True, kw_only=True)
class LoadedOfTwo:
    """Likewise, of what two processes saved to one path at once."""

    load: Load
    said: str
    savers_failed: int


@dataclass(frozen=True, kw_only=True)
class Kept:
    """How many artifacts were kept for the other builds."""

    artifacts: int


RECORDS: Mapping[str, type] = {
    "artifacts.reload": Reloaded,
    "artifacts.damaged": Loaded,
    "artifacts.placed": Loaded,
    "artifacts.across": Loaded,
    "artifacts.saved": Kept,
    "artifacts.saved_by_two": LoadedOfTwo,
}
