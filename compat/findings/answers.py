"""What a cell says: how it ended, and what it found out where it passes either way."""

from __future__ import annotations

from compat.findings.artifacts import load_of
from compat.findings.model import Load
from compat.runs.model import Cell, Outcome

# Recorded answers of probes that pass whichever it is: what they say, when it is so.
_WORDS = {
    "needed": "needed",
    "compiles": "compiles",
    "works": "works",
    "reaches": "reaches",
    "capability": "there",
    "code_changed": "rewritten",
}


def answer_of(cell: Cell) -> str:
    """How a cell ended, in the words that matter to a reader; the same failure reads the same."""
    if cell.outcome is not Outcome.PASS:
        return f"{cell.outcome.value}: {cell.signature or cell.reason}"
    load = load_of(cell)
    if load is not Load.UNKNOWN:
        return str(load.value)
    words = [
        word if cell.metrics[name] else f"not {word}"
        for name, word in _WORDS.items()
        if isinstance(cell.metrics.get(name), bool)
    ]
    return ", ".join([*words, *filter(None, [cell.metrics.get("signature")])]) or "pass"
