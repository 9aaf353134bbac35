"""Cells of caches, made by hand."""

from __future__ import annotations

from typing import Any

from compat.runs.model import Cell, Outcome
from compat.topics.caches.records import Again, Keys, Starts
from tests.topics.cells import make_cell

HIT = Again(reused=True, right=True, how="fxgraph_cache hit")
MISS = Again(reused=False, right=True, how="fxgraph_cache miss")
STALE = Again(reused=True, right=False, how="fxgraph_cache hit")
RAISED = Again(reused=None, right=None, how="loading raises RuntimeError: no")


def make_keys(**changes: Any) -> Keys:
    values: dict[str, Any] = {
        "differ": {"constant": MISS},
        "same": {"comment": HIT},
        "free": {"lora_buffer": HIT},
    }
    return Keys(**{**values, **changes})


def keys_cell(build: str, outcome: Outcome = Outcome.PASS, **changes: Any) -> Cell:
    return make_cell(
        build, make_keys(**changes), outcome, probe="caches.keys", params={"group": "common"}
    )


def starts_cell(build: str, **starts: Again) -> Cell:
    return make_cell(build, Starts(starts=starts), probe="caches.portable")
