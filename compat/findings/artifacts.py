"""What becomes of saved artifacts that are damaged, moved, or another build's."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from compat.findings.model import Load, Sentence
from compat.runs.model import SAVED_BY, Cell, Run

ACROSS = "artifacts.across"
PLACED = "artifacts.placed"
DAMAGED = "artifacts.damaged"

# A refusal that says one of these says what the user has to do with: another torch, or a broken
# file. What is missing in one of torch's own classes says nothing to them.
_CLEAR = re.compile(
    r"mismatch|incompatib|version|corrupt|checksum|truncated|too short", re.IGNORECASE
)


def load_of(cell: Cell) -> Load:
    """How a load of a saved artifact ended."""
    verdict = cell.metrics.get("verdict")
    if verdict is None:
        return Load.UNKNOWN
    if verdict == "refused" and not _CLEAR.search(cell.metrics["said"]):
        return Load.REFUSED_UNCLEARLY
    return Load(verdict)


def say_artifacts(run: Run) -> list[Sentence]:
    """What builds make of each other's artifacts, of damaged ones, and of read-only ones."""
    return [*_say_across(run), *_say_damaged(run), *_say_read_only(run)]


def _say_across(run: Run) -> list[Sentence]:
    sentences = []
    for kind, cells in _by_kind(run, ACROSS).items():
        counts = _counts(cells)
        loaded = [cell for cell in cells if load_of(cell) in (Load.RIGHT, Load.WRONG, Load.CRASHED)]
        pairs = ", ".join(
            f"{cell.params[SAVED_BY]} in {cell.build}: {load_of(cell).value}" for cell in loaded
        )
        sentences.append(
            Sentence(
                title=f"artifacts of other builds: {kind}",
                text=f"Of {len(cells)} loads in another build than the one that saved, {counts}."
                + (f" Not refused: {pairs}." if pairs else ""),
                cells=tuple(cell.id for cell in cells),
            )
        )
    return sentences


def _say_damaged(run: Run) -> list[Sentence]:
    return [
        Sentence(
            title=f"damaged artifacts: {kind}",
            text=f"Of {len(cells)} loads of a truncated, bit-flipped or empty file, "
            f"{_counts(cells)}.",
            cells=tuple(cell.id for cell in cells),
        )
        for kind, cells in _by_kind(run, DAMAGED).items()
    ]


def _say_read_only(run: Run) -> list[Sentence]:
    sentences = []
    for kind, cells in _by_kind(run, PLACED, place="read-only").items():
        refused = [cell for cell in cells if load_of(cell) is not Load.RIGHT]
        if refused:
            builds = ", ".join(dict.fromkeys(cell.build for cell in refused))
            said = ", ".join(dict.fromkeys(cell.metrics["said"].rstrip(": ") for cell in refused))
            sentences.append(
                Sentence(
                    title=f"read-only artifacts: {kind} does not load",
                    text=f"From a folder that may not be written to it is refused on {builds}: "
                    f"{said}.",
                    cells=tuple(cell.id for cell in refused),
                )
            )
    return sentences


def _by_kind(run: Run, probe: str, **params: str) -> dict[str, list[Cell]]:
    """The cells that saw how a load ended, by the kind of the artifact."""
    kinds: dict[str, list[Cell]] = {}
    for cell in run.cells:
        wanted = cell.probe == probe and params.items() <= cell.params.items()
        if wanted and load_of(cell) is not Load.UNKNOWN:
            kinds.setdefault(cell.params["kind"], []).append(cell)
    return kinds


def _counts(cells: Iterable[Cell]) -> str:
    loads = [load_of(cell) for cell in cells]
    counts: Mapping[Load, int] = {load: loads.count(load) for load in Load if load in loads}
    return ", ".join(f"{number} {_WORDS[load]}" for load, number in counts.items())


_WORDS = {
    Load.RIGHT: "load and are right",
    Load.REFUSED: "are refused with a reason",
    Load.REFUSED_UNCLEARLY: "are refused without one that helps",
    Load.WRONG: "load and are wrong",
    Load.CRASHED: "crash",
}
