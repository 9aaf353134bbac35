"""Records of: what a later compilation, or a later process, makes of what was compiled before."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from compat.topics.naming import check_names


@dataclass(frozen=True, kw_only=True)
class Again:
    """A function that was compiled before, or one much like it, compiled or loaded again.

    Attributes:
        reused: Whether what was compiled before was used; None where something was raised.
        right: Whether it computes what eager computes; None likewise.
        how: Which caches hit, missed or were bypassed; or what was raised, and doing what.
    """

    reused: bool | None
    right: bool | None
    how: str


@dataclass(frozen=True, kw_only=True)
class Keys:
    """What was compiled before is in the caches; then something is changed.

    Attributes:
        differ: By what was changed, where the caches must not be used for that.
        same: Likewise, where they ought to be.
        free: Likewise, where they may be.
    """

    differ: Mapping[str, Again]
    same: Mapping[str, Again]
    free: Mapping[str, Again]

    def __post_init__(self) -> None:
        check_names([*self.differ, *self.same, *self.free])


@dataclass(frozen=True, kw_only=True)
class Starts:
    """Later processes start with what one left.

    Attributes:
        starts: By what became of it in between, or by what was compiled.
    """

    starts: Mapping[str, Again]

    def __post_init__(self) -> None:
        check_names(self.starts)


RECORDS: Mapping[str, type] = {
    "caches.keys": Keys,
    "caches.recompiled": Starts,
    "caches.portable": Starts,
    "caches.aot_compile": Starts,
    "caches.precompile": Starts,
    "caches.variables": Keys,
}
