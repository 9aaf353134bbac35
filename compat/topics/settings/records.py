"""Records of: the environment variables that choose a path."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Switch:
    """The same model under both settings, in a process each.

    Attributes:
        max_abs: The largest difference from eager, of either setting.
        bitwise: Whether both gave the same bits.
        legacy_calls: Calls of standalone_compile under the setting that chooses compile_fx,
        standalone_calls: and under the other one; None where a run did not count them.
    """

    max_abs: float | None
    bitwise: bool
    legacy_calls: int | None
    standalone_calls: int | None


RECORDS: Mapping[str, type] = {
    "settings.standalone_switch": Switch,
}
