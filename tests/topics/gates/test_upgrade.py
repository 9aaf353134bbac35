"""Gates as rows of the upgrade table."""

from __future__ import annotations

from compat.document.parts import Code
from compat.runs.ids import BUILTIN, BuildId
from compat.runs.model import Cell, Outcome
from compat.topics.gates.finding import find
from compat.topics.gates.upgrade import FAKE_MODE_PATCH, upgrade
from compat.topics.upgrade import Kind, Says, UpgradeRow
from tests.topics.cells import make_matrix
from tests.topics.gates.cells import capability, shared, unknown

OLD, NEW = BuildId("2.12.1-cpu"), BuildId("2.13.0-cpu")


def rows_of(*cells: Cell) -> list[UpgradeRow]:
    matrix = make_matrix(*cells)
    return list(upgrade(matrix, find(matrix)))


def test_a_gate_and_what_nobody_gates() -> None:
    cells = (
        capability(OLD, False, False),
        capability(NEW, True, True),
        capability(OLD, False, True, "aot", floor=None),
        unknown(NEW, feature="aot"),
    )
    assert rows_of(*cells) == [
        UpgradeRow(
            kind=Kind.GATE,
            name=Code("fake_mode"),
            says={OLD: Says.NOT_THERE, NEW: Says.THERE},
            ships={BUILTIN: "from 2.13.0.dev on"},
            cells={OLD: (cells[0].id,), NEW: (cells[1].id,)},
            rests="the signature of what takes it",
        ),
        UpgradeRow(
            kind=Kind.FEATURE,
            name=Code("aot"),
            says={OLD: Says.THERE, NEW: Says.UNKNOWN},
            ships={BUILTIN: "never passed"},
            cells={OLD: (cells[2].id,), NEW: (cells[3].id,)},
            rests="the signature of what takes it",
        ),
    ]


def test_what_can_be_passed_instead_of_the_patch() -> None:
    instead = UpgradeRow(
        kind=Kind.WORKAROUND,
        name=FAKE_MODE_PATCH,
        says={},
        cells={},
        cost="fake_mode= of standalone_compile does the same on 2.13.0.",
    )
    nowhere = shared(OLD, "argument", Outcome.UNSUPPORTED)
    assert rows_of(nowhere, shared(NEW, "argument")) == [instead]
    (row,) = rows_of(nowhere)
    assert (row.name, row.cost) == (FAKE_MODE_PATCH, "")
