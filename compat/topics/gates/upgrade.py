"""Gates, and the patch of FakeTensorMode, as rows of the upgrade table."""

from __future__ import annotations

from collections.abc import Iterable

from compat.document.parts import Code
from compat.runs.ids import BUILTIN, BuildId, CellId
from compat.topics.gates.finding import FakeModePatch, Gate, Gates
from compat.topics.matrix import Matrix
from compat.topics.upgrade import Kind, Says, UpgradeRow

_THERE = {True: Says.THERE, False: Says.NOT_THERE, None: Says.UNKNOWN}
# fake_mode= does what the patch does.
_NEEDED = {True: Says.NOT_NEEDED, False: Says.NEEDED, None: Says.UNKNOWN}


def upgrade(_: Matrix, gates: Gates) -> Iterable[UpgradeRow]:
    yield from map(_gate, gates.gates)
    if gates.fake_mode is not None:
        yield _patch(gates.fake_mode)


def _gate(gate: Gate) -> UpgradeRow:
    return UpgradeRow(
        kind=Kind.GATE if gate.floor else Kind.FEATURE,
        name=Code(gate.feature),
        says={build: _THERE[verdict.available] for build, verdict in gate.verdicts.items()},
        ships={BUILTIN: f"from {gate.floor} on" if gate.floor else "never passed"},
        cells=gate.cells,
    )


def _patch(patch: FakeModePatch) -> UpgradeRow:
    cells: dict[BuildId, tuple[CellId, ...]] = {}
    for cell in patch.cells:
        cells[cell.build] = (*cells.get(cell.build, ()), cell)
    says = {build: _NEEDED[works] for build, works in patch.argument.items()}
    return UpgradeRow(
        kind=Kind.WORKAROUND,
        name="patch of FakeTensorMode",
        says={**says, **dict.fromkeys(patch.without_argument, Says.NEEDED)},
        cells=cells,
        cost="Pass fake_mode= to standalone_compile instead.",
    )
