"""Records of: what torch reads from the object that downstreams pass in the place of a ShapeEnv."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Reads:
    """The members that torch read, and those among them that the stand-in does not have."""

    reads: tuple[str, ...]
    unknown: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Needs:
    """Whether torch read a member, and whether saving or loading fails without it, and how."""

    needed: bool
    failure: str
    read: bool


RECORDS: Mapping[str, type] = {
    "shape_env.reads": Reads,
    "shape_env.needs": Needs,
}
