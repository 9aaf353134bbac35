"""The upgrade table."""

from __future__ import annotations

from compat.findings.upgrade import Kind, State, UpgradeRow, upgrade_rows
from compat.runs.ids import BuildId
from compat.runs.model import Cell
from compat.topics.gates import finding as gates
from compat.topics.gates.records import Capability
from compat.topics.workarounds import finding as workarounds
from tests.topics.cells import make_cell, make_matrix
from tests.topics.workarounds.trial_cells import absent, free, needed, unknown

NAME = "scalar-mask"
CPU = ("cpu", "")


def feature(build: str, gate: bool, capability: bool) -> Cell:
    record = Capability(gate=gate, capability=capability, floor="2.13.0.dev", source="vllm#39733")
    return make_cell(build, record, params={"feature": "donate_graph_module"})


def rows(*cells: Cell) -> list[UpgradeRow]:
    matrix = make_matrix(*cells)
    return upgrade_rows(matrix, gates.find(matrix), workarounds.find(matrix))


def test_a_gate() -> None:
    (row,) = rows(
        feature("2.11.0-cpu", False, False),
        feature("2.12.0-cpu", False, True),
        feature("2.13.0-cpu", True, True),
    )
    assert (row.kind, row.gate, row.source) == (Kind.GATE, ">=2.13.0.dev", "vllm#39733")
    assert [(each.state, each.fits) for each in row.on.values()] == [
        (State.NOT_THERE, True),
        (State.THERE, False),
        (State.THERE, True),
    ]
    assert row.delete_from == {CPU: BuildId("2.12.0-cpu")}
    assert row.control == {CPU: True}


def test_a_feature_that_goes_again() -> None:
    (row,) = rows(feature("2.13.0-cpu", True, True), feature("2.14.0-cpu", True, False))
    assert row.delete_from == {CPU: None}
    assert row.on[BuildId("2.14.0-cpu")].fits is False


def test_a_workaround() -> None:
    (row,) = rows(
        needed("2.10.0-cpu", NAME),
        needed("2.11.0-cpu", NAME),
        free("2.12.0-cpu", NAME),
        unknown("2.13.0-cpu", NAME),
        absent("2.14.0-cpu", NAME),
    )
    assert (row.kind, row.name, row.ships) == (Kind.WORKAROUND, NAME, ("vLLM 0.33.0",))
    assert [(each.state, each.fits) for each in row.on.values()] == [
        (State.NEEDED, False),
        (State.NEEDED, True),
        (State.NOT_NEEDED, True),
        (State.UNKNOWN, None),
        (State.NOT_THERE, None),
    ]
    assert row.delete_from == {CPU: BuildId("2.12.0-cpu")}


def test_one_that_no_build_needs_has_no_control() -> None:
    (row,) = rows(free("2.12.0-cpu", NAME))
    assert row.delete_from == {CPU: None}
    assert row.control == {CPU: False}
