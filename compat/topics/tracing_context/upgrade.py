"""Hiding the tracing context as a row of the upgrade table."""

from __future__ import annotations

from collections.abc import Iterable

from compat.runs.ids import BuildId, CellId
from compat.topics.matrix import Matrix
from compat.topics.tracing_context.advice import ABOUT
from compat.topics.tracing_context.finding import TracingContext
from compat.topics.tracing_context.view import say_cost
from compat.topics.upgrade import Kind, Says, UpgradeRow
from compat.topics.workarounds.table import WORKAROUNDS

_NEEDED = {True: Says.NEEDED, False: Says.NOT_NEEDED, None: Says.UNKNOWN}


def upgrade(_: Matrix, found: TracingContext) -> Iterable[UpgradeRow]:
    if not found.lines:
        return
    says: dict[BuildId, Says] = {}
    cells: dict[BuildId, tuple[CellId, ...]] = {}
    for line in found.lines:
        says.update((build, _NEEDED[needed]) for build, needed in line.needed.items())
        for cell in line.cells:
            cells[cell.build] = (*cells.get(cell.build, ()), cell)
    deletions = (line.deletion for line in found.lines if line.deletion is not None)
    costs = dict.fromkeys(said for each in deletions for said in say_cost(found, each.cost))
    yield UpgradeRow(
        kind=Kind.WORKAROUND,
        name=ABOUT,
        says=says,
        ships=WORKAROUNDS["tracing-context"].ships,
        cells=cells,
        rests=found.rests,
        cost=" ".join(costs),
    )
