"""Each gate against what the builds have."""

from __future__ import annotations

import pytest

from compat.runs.ids import BuildId
from compat.runs.model import Outcome
from compat.topics.gates.finding import Verdict, find
from tests.topics.cells import make_build, make_cell, make_matrix
from tests.topics.gates.cells import capability, shared, target, unknown
from tests.topics.parity.parity_cells import parity_cell


@pytest.mark.parametrize(
    ("gate", "there", "verdict", "available"),
    [
        (True, True, Verdict.USED, True),
        (False, True, Verdict.MISSED, True),
        (True, False, Verdict.BROKEN, False),
        (False, False, Verdict.ABSENT, False),
    ],
)
def test_verdicts(gate: bool, there: bool, verdict: Verdict, available: bool) -> None:
    (found,) = find(make_matrix(capability("2.13.0-cpu", gate, there))).gates
    assert found.verdicts == {BuildId("2.13.0-cpu"): verdict}
    assert verdict.available is available
    assert found.floor == "2.13.0.dev"
    assert found.source == "vllm#39733"


def test_a_build_without_the_cell_and_a_crashed_one_are_unknown() -> None:
    matrix = make_matrix(
        unknown("2.11.0-cpu"),
        capability("2.12.1-cpu", False, True),
        builds=tuple(map(make_build, ["2.11.0-cpu", "2.12.1-cpu", "2.13.0-cpu"])),
    )
    (gate,) = find(matrix).gates
    assert list(gate.verdicts.values()) == [Verdict.UNKNOWN, Verdict.MISSED, Verdict.UNKNOWN]
    assert gate.those(Verdict.MISSED) == ["2.12.1-cpu"]
    assert Verdict.UNKNOWN.available is None
    assert gate.cells[BuildId("2.11.0-cpu")] == ("gates.capability[fake_mode]@2.11.0-cpu",)
    assert gate.cells[BuildId("2.13.0-cpu")] == ()


def test_a_record_of_another_shape_is_unknown() -> None:
    cell = capability("2.13.0-cpu", True, True)
    cell = make_cell(cell.build, None, probe=cell.probe, params=cell.params)
    (gate,) = find(make_matrix(cell)).gates
    assert gate.verdicts == {BuildId("2.13.0-cpu"): Verdict.UNKNOWN}
    assert (gate.floor, gate.source) == (None, "")


def test_features_are_kept_apart() -> None:
    matrix = make_matrix(
        capability("2.13.0-cpu", True, True, "aot"), capability("2.13.0-cpu", False, True)
    )
    gates = find(matrix).gates
    assert [gate.feature for gate in gates] == ["aot", "fake_mode"]
    assert [list(gate.verdicts.values()) for gate in gates] == [[Verdict.USED], [Verdict.MISSED]]
    assert [len(cells) for gate in gates for cells in gate.cells.values()] == [1, 1]


def test_the_patch_and_the_argument() -> None:
    matrix = make_matrix(
        shared("2.12.1-cpu", "argument", Outcome.UNSUPPORTED),
        shared("2.12.1-cpu", "monkeypatch"),
        shared("2.13.0-py3.10-cpu", "argument"),
        shared("2.13.0-py3.10-cpu", "monkeypatch", Outcome.FAIL),
        target("2.12.1-cpu", True),
        target("2.13.0-py3.10-cpu", False),
        target("2.13.0-py3.10-cpu", True, "module"),
    )
    patch = find(matrix).fake_mode
    assert patch is not None
    assert list(patch.argument.values()) == [None, True]
    assert list(patch.patch.values()) == [True, False]
    assert patch.without_argument == ("2.12.1-cpu",)
    assert patch.missed_by_name == ("2.13.0-py3.10-cpu",)
    assert patch.cells == (
        "gates.shared_fake_mode[argument]@2.12.1-cpu",
        "gates.shared_fake_mode[monkeypatch]@2.12.1-cpu",
        "gates.shared_fake_mode[argument]@2.13.0-py3.10-cpu",
        "gates.shared_fake_mode[monkeypatch]@2.13.0-py3.10-cpu",
        "gates.patch_target[string]@2.12.1-cpu",
        "gates.patch_target[string]@2.13.0-py3.10-cpu",
    )


def test_a_build_without_the_argument_is_one_that_was_asked_for_it() -> None:
    """That the patch does not apply to a build says nothing of the argument."""
    crashed = make_cell(
        "2.12.1-cpu", None, Outcome.CRASH, probe="gates.patch_target", params={"way": "string"}
    )
    matrix = make_matrix(
        shared("2.12.1-cpu", "argument"),
        shared("2.12.1-cpu", "monkeypatch", Outcome.UNSUPPORTED),
        crashed,
    )
    patch = find(matrix).fake_mode
    assert patch is not None
    assert patch.without_argument == ()
    assert patch.missed_by_name == ()


@pytest.mark.parametrize(
    ("feature", "rests"),
    [
        ("fake_mode", ", and right outputs with mlp in float32"),
        ("donate_graph_module", ", and right outputs with block in float32, static shapes"),
        ("aot", ", and right outputs with mlp in float32, static shapes"),
        # Where it is passed nothing is asked.
        ("tuple_return", ""),
    ],
)
def test_what_shows_that_a_build_has_a_feature(feature: str, rests: str) -> None:
    """Its signature, and what is right where it is passed."""
    cells = (
        capability("2.13.0-cpu", True, True, feature),
        shared("2.12.1-cpu", "argument", Outcome.FAIL),
        shared("2.13.0-cpu", "argument"),
        shared("2.12.1-cpu", "monkeypatch"),
        parity_cell("donated", model="block"),
        parity_cell("aot"),
        parity_cell("aot", outcome=Outcome.FAIL, model="other"),
        parity_cell("standalone", model="block"),
    )
    (gate,) = find(make_matrix(*cells)).gates
    assert gate.rests == f"the signature of what takes it{rests}"


def test_nothing_asked() -> None:
    found = find(make_matrix(builds=(make_build("2.13.0-cpu"),)))
    assert found.gates == ()
    assert found.fake_mode is None
