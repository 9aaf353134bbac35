"""Records of: what becomes of saved artifacts: reloaded, damaged, moved, or another build's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum


class Load(str, Enum):
    """What became of the load of a saved artifact in a process that has nothing else."""

    RIGHT = "right"
    UNNOTICED = "unnoticed"  # damaged, and yet it loads and is right
    REFUSED = "refused"
    REFUSED_UNCLEARLY = "refused-unclearly"  # see compat.topics.artifacts.refusals
    WRONG = "wrong"
    CRASHED = "crashed"


@dataclass(frozen=True, kw_only=True)
class Loaded:
    """How the load of an artifact ended.

    Attributes:
        raised: The type of the exception where it was refused.
        said: What that exception says, in one line and normalised.
        exit_code: Of a process that died of it, as :mod:`multiprocessing` has it: a signal is
            negative. None where it lived.
        max_abs: How far the outputs are from eager's; None where there are none, or where that is
            not finite.
        contract: What else differs from eager; see :class:`compat.topics.parity.records.Parity`.
        compilations: How often the loading process compiled all the same.
    """

    load: Load
    raised: str = ""
    said: str = ""
    exit_code: int | None = None
    max_abs: float | None = None
    contract: tuple[str, ...] = ()
    compilations: int = 0


@dataclass(frozen=True, kw_only=True)
class Reloaded(Loaded):
    """What a new process made of what another one saved.

    Attributes:
        bitwise: Whether it computed the very same bits.
        handles: How many pieces were saved.
    """

    bitwise: bool
    handles: int


@dataclass(frozen=True, kw_only=True)
class Damaged(Loaded):
    """Likewise, where each of its files was damaged."""


@dataclass(frozen=True, kw_only=True)
class Placed(Loaded):
    """Likewise, where it lies in another folder, or where nobody may write."""


@dataclass(frozen=True, kw_only=True)
class Across(Loaded):
    """Likewise, where another build saved it."""


@dataclass(frozen=True, kw_only=True)
class SavedByTwo(Loaded):
    """Likewise, where two processes saved to one path at once, of which some may have failed."""

    savers_failed: int


@dataclass(frozen=True, kw_only=True)
class Kept:
    """How many artifacts were kept for the other builds."""

    artifacts: int


RECORDS: Mapping[str, type] = {
    "artifacts.reload": Reloaded,
    "artifacts.damaged": Damaged,
    "artifacts.placed": Placed,
    "artifacts.across": Across,
    "artifacts.saved": Kept,
    "artifacts.saved_by_two": SavedByTwo,
}
