"""Words and glyphs that the views of several topics need."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from compat.runs.ids import BuildId
from compat.runs.model import Cell, Outcome
from compat.topics.matrix import Matrix, Seen

# One glyph an outcome, each of its own shape, so that unknown looks like nothing else.
GLYPHS = {
    Outcome.PASS: "✅",
    Outcome.FAIL: "❌",
    Outcome.ERROR: "💥",
    Outcome.CRASH: "☠️",
    Outcome.TIMEOUT: "⏰",
    Outcome.UNSUPPORTED: "➖",
    Outcome.SKIP: "⏭️",
    Outcome.NOT_RUN: "❔",
}
# The worst outcome of several stands for all of them.
_WORST_FIRST = (
    Outcome.CRASH,
    Outcome.TIMEOUT,
    Outcome.ERROR,
    Outcome.FAIL,
    Outcome.NOT_RUN,
    Outcome.SKIP,
    Outcome.PASS,
    Outcome.UNSUPPORTED,
)

NOT_KNOWN = "❔"


def labels(builds: Iterable[BuildId]) -> str:
    """Builds as people read them, each once."""
    return ", ".join(dict.fromkeys(build.label for build in builds))


def not_needed(controls: Iterable[BuildId], rests: str) -> str:
    """Of a workaround; a probe that says so counts where it is seen to say otherwise elsewhere."""
    return (
        f"None of these builds needs it. {labels(controls)}: needed, so the probe sees that. "
        f"That rests on {rests}."
    )


def glyphs(cells: Iterable[Cell]) -> str:
    """How cells ended: the glyph of the worst outcome, with a number where not all ended so."""
    counts = Counter(cell.outcome for cell in cells)
    worst = next((each for each in _WORST_FIRST if counts[each]), None)
    if worst is None:
        return ""
    number, total = counts[worst], counts.total()
    return GLYPHS[worst] + ("" if number == total else f" {number} of {total}")


def untold(seen: Sequence[Seen[Any]]) -> str:
    """In the place of what records would say: how the cells ended, not known where one passed."""
    if any(each.record is None and each.cell.outcome is Outcome.PASS for each in seen):
        return NOT_KNOWN
    return glyphs(each.cell for each in seen)


def unmeasured(matrix: Matrix, line: tuple[str, str], measured: Iterable[BuildId]) -> str:
    """What a chart says of the builds of a device and Python that it has no value of."""
    shown = set(measured)
    missing = [each.id for each in matrix.builds if each.id.line == line and each.id not in shown]
    return f" Not measured: {labels(missing)}." if shown and missing else ""
