"""Records of: compiled functions on machines, and in processes, that are odd."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from compat.topics.naming import check_names


@dataclass(frozen=True, kw_only=True)
class Went:
    """How a call of a function that was to be compiled went.

    Attributes:
        right: Whether it returned what the function itself returns; None where it returned nothing.
        how: ``compiled``, ``eager``, or what was raised, as a signature; then what it warned of.
    """

    right: bool | None
    how: str


@dataclass(frozen=True, kw_only=True)
class Calls:
    """Calls in one process, or in several of one build.

    Attributes:
        went: By what was odd.
    """

    went: Mapping[str, Went]

    def __post_init__(self) -> None:
        check_names(self.went)


RECORDS: Mapping[str, type] = {
    "machines.odd": Calls,
    "machines.stances": Calls,
    "machines.switched_off": Calls,
}
