"""Gates as rows of the upgrade table, and what can be passed instead of FakeTensorMode's patch."""

from __future__ import annotations

from collections.abc import Iterable

from compat.document.parts import Code
from compat.runs.ids import BUILTIN
from compat.topics.gates.finding import FakeModePatch, Gate, Gates
from compat.topics.matrix import Matrix
from compat.topics.upgrade import Kind, Says, UpgradeRow
from compat.topics.words import labels

_THERE = {True: Says.THERE, False: Says.NOT_THERE, None: Says.UNKNOWN}
# Its row is that of the workarounds.
FAKE_MODE_PATCH = "fake-mode-patch"


def upgrade(_: Matrix, gates: Gates) -> Iterable[UpgradeRow]:
    yield from map(_gate, gates.gates)
    if gates.fake_mode is not None:
        yield _instead(gates.fake_mode)


def _gate(gate: Gate) -> UpgradeRow:
    return UpgradeRow(
        kind=Kind.GATE if gate.floor else Kind.FEATURE,
        name=Code(gate.feature),
        says={build: _THERE[verdict.available] for build, verdict in gate.verdicts.items()},
        ships={BUILTIN: f"from {gate.floor} on" if gate.floor else "never passed"},
        cells=gate.cells,
        rests=gate.rests,
    )


def _instead(patch: FakeModePatch) -> UpgradeRow:
    """What whoever deletes the patch can pass: where it is needed, its own probe tells."""
    takes = [build for build, works in patch.argument.items() if works]
    return UpgradeRow(
        kind=Kind.WORKAROUND,
        name=FAKE_MODE_PATCH,
        says={},
        cells={},
        cost=f"fake_mode= of standalone_compile does the same on {labels(takes)}." if takes else "",
    )
