"""Records of: hiding Dynamo's tracing context from compile_fx: needed, working, clean."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Needed:
    """Whether compile_fx fails inside Dynamo's context unless that is hidden, and how."""

    needed: bool
    failure: str


@dataclass(frozen=True, kw_only=True)
class Hidden:
    """Hidden in this way, compile_fx works; how far its outputs are from eager's."""

    max_abs: float | None


@dataclass(frozen=True, kw_only=True)
class Restored:
    """Whether the context was hidden, and whether the very same object is back."""

    hidden: bool
    restored: bool


@dataclass(frozen=True, kw_only=True)
class Fallback:
    """The strategy that the chain chose with a private name gone."""

    chosen: str


@dataclass(frozen=True, kw_only=True)
class Reentrant:
    """Whether a tracing context was left behind."""

    left_behind: bool


RECORDS: Mapping[str, type] = {
    "tracing_context.needed": Needed,
    "tracing_context.strategy": Hidden,
    "tracing_context.restored": Restored,
    "tracing_context.fallback": Fallback,
    "tracing_context.reentrant": Reentrant,
}
