"""Workarounds that downstreams ship, as rows of the upgrade table."""

from __future__ import annotations

from collections.abc import Iterable

from compat.topics.matrix import Matrix
from compat.topics.upgrade import Kind, Says, UpgradeRow
from compat.topics.workarounds.finding import Row, State, Workarounds
from compat.topics.workarounds.table import Measured

# What the workaround guards is no part of a build that has it not.
_SAYS = {
    State.NEEDED: Says.NEEDED,
    State.NOT_NEEDED: Says.NOT_NEEDED,
    State.ABSENT: Says.NOT_NEEDED,
    State.UNKNOWN: Says.UNKNOWN,
}


def upgrade(_: Matrix, found: Workarounds) -> Iterable[UpgradeRow]:
    """A row for each that has a probe of its own; the other topics have those that they measure."""
    for row in found.rows:
        if row.workaround.measured is Measured.PROBE:
            yield _row(row)


def _row(row: Row) -> UpgradeRow:
    return UpgradeRow(
        kind=Kind.WORKAROUND,
        name=row.workaround.name,
        says={build: _SAYS[each.state] for build, each in row.on.items()},
        ships=row.workaround.ships,
        cells={build: each.cells for build, each in row.on.items()},
        about=f"{row.workaround.does}; without it: {row.workaround.guards}",
        rests=row.rests,
    )
