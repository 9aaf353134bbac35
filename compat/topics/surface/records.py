"""Records of: the private names and parameters that the interface leans on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Name:
    """A private name: whether it is there, with which parameters, and which of ours it refuses."""

    there: bool
    signature: str
    refused: tuple[str, ...]


RECORDS: Mapping[str, type] = {
    "surface.name": Name,
}
