"""Records of: what workarounds guard against, without them and with them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Tried:
    """What a workaround guards against, tried without it and with it.

    Attributes:
        without: The signature of what goes wrong without it; empty where nothing does.
        with_it: Likewise with it applied, and nothing else of the downstream.
    """

    without: str
    with_it: str


RECORDS: Mapping[str, type] = {
    "workarounds.needed": Tried,
}
