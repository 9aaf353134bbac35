"""All families of trials: the few of each that are asked at default depth, and the rest."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from compat.probes.downstream import caching, given, patterns, regions, rewriting, splits, writing
from compat.topics.reach.records import Trial

Bodies = dict[str, Callable[[], Trial]]

FAMILIES: Mapping[str, Callable[[Path, str], Bodies]] = {
    "kept": caching.passes_kept,
    "fire": lambda _, device: patterns.patterns(device),
    "rewrite": lambda _, device: rewriting.rewrites(device),
    "operators": lambda _, device: {
        **writing.writes(device),
        **writing.dtypes(device),
        **writing.layouts(device),
    },
    "given": given.given,
    "pieces": lambda _, device: splits.splits(device),
    "regions": lambda _, device: regions.regions(device),
}
_FEW = (
    *(caching.FEW, patterns.FEW, rewriting.FEW, writing.FEW, given.FEW, splits.FEW, regions.FEW),
)
FEW = frozenset().union(*_FEW)


def few(folder: Path, device: str) -> Bodies:
    """Of all families; every trial has a name of its own."""
    every = [make(folder / name, device) for name, make in FAMILIES.items()]
    return {name: body for each in every for name, body in each.items() if name in FEW}


def rest(family: str, folder: Path, device: str) -> Bodies:
    bodies = FAMILIES[family](folder, device)
    return {name: body for name, body in bodies.items() if name not in FEW}
