"""Records of: the private names and parameters that the interface leans on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Name:
    """A private name.

    Attributes:
        there: Whether the build has it.
        signature: What it is, with its parameters, or its type; empty where it is gone.
        refused: The parameters that the interface passes and it does not take.
    """

    there: bool
    signature: str
    refused: tuple[str, ...]


RECORDS: Mapping[str, type] = {
    "surface.name": Name,
}
