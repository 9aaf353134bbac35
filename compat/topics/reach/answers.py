"""What the records of passes, patches and pieces say."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from compat.runs.answers import Said, text, verdict
from compat.topics.reach.records import RIGHT, Census, Patches, Shown, Trials


def of_census(record: Census) -> Iterable[Said]:
    for name, shown in record.graphs.items():
        yield verdict(f"shown.{name}", not shown.raised)
        yield text(f"raised.{name}", shown.raised)
        yield from _of_passes(name, shown)
    for name, keys in record.meta.items():
        yield text(f"meta.{name}", ", ".join(keys))


def _of_passes(name: str, shown: Shown) -> Iterable[Said]:
    """What a pass is shown, unless that is what the one before it was: one change is one answer."""
    before = ""
    for each, counts in shown.passes.items():
        listed = listing(counts)
        yield text(f"{each}.{name}", "as the pass before" if listed == before else listed)
        before = listed


def listing(counts: Mapping[str, int]) -> str:
    """Operators, each with how often it is there."""
    return ", ".join(f"{name} ×{number}" for name, number in sorted(counts.items()))


def of_patches(record: Patches) -> Iterable[Said]:
    for name, drive in record.drives.items():
        yield verdict(f"worked.{name}", not drive.raised)
        yield text(f"raised.{name}", drive.raised)
        for path, patch in drive.patches.items():
            yield verdict(f"reached.{name}.{path}", bool(patch.saw) if patch.there else None)
            yield text(f"saw.{name}.{path}", "; ".join(patch.saw) if patch.saw else None)


def of_trials(record: Trials) -> Iterable[Said]:
    for name, trial in record.trials.items():
        yield verdict(f"right.{name}", trial.ended == RIGHT)
        yield text(f"said.{name}", f"{trial.ended}: {trial.said}" if trial.said else trial.ended)


ANSWERS: Mapping[type, Callable[[Any], Iterable[Said]]] = {
    Census: of_census,
    Patches: of_patches,
    Trials: of_trials,
}
