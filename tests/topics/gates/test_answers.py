"""What is lost, and what only changes, of a gate."""

from __future__ import annotations

from compat.runs.answers import Change
from compat.topics.gates.answers import ANSWERS
from compat.topics.gates.records import Capability, PatchTarget, SharedFakeMode
from tests.topics.saying import changes, said_of


def capability(gate: bool, there: bool, floor: str | None = "2.13.0.dev") -> Capability:
    return Capability(gate=gate, capability=there, floor=floor, source="vllm#39733")


def test_a_feature_that_is_gone_is_lost() -> None:
    seen = changes(ANSWERS, capability(True, True), capability(True, False))
    assert seen == {"available": Change.LOST, "used": Change.LOST}


def test_a_feature_that_the_gate_no_longer_lets_through_is_lost() -> None:
    assert changes(ANSWERS, capability(True, True), capability(False, True)) == {
        "used": Change.LOST
    }


def test_a_feature_that_comes_is_gained() -> None:
    seen = changes(ANSWERS, capability(False, False), capability(False, True))
    assert seen == {"available": Change.GAINED}


def test_another_floor_is_a_change() -> None:
    before, after = capability(True, True), capability(True, True, None)
    assert changes(ANSWERS, before, after) == {"floor": Change.CHANGED}


def test_what_has_no_gate_says_so() -> None:
    said = said_of(ANSWERS, capability(False, True, None))
    assert {name: each.value for name, each in said.items()} == {
        "available": True,
        "used": False,
        "floor": "none",
    }
    assert said_of(ANSWERS, capability(False, True))["floor"].value == "2.13.0.dev"


def test_outputs_that_are_no_longer_finite_are_lost() -> None:
    before, after = SharedFakeMode(max_abs=1e-7), SharedFakeMode(max_abs=None)
    assert changes(ANSWERS, before, after) == {"finite": Change.LOST}
    assert changes(ANSWERS, before, SharedFakeMode(max_abs=2e-7)) == {}


def test_a_patch_that_misses_the_module_is_lost() -> None:
    before = PatchTarget(reaches=True, failure="")
    after = PatchTarget(reaches=False, failure="AttributeError: function has no FakeTensorMode")
    assert changes(ANSWERS, before, after) == {"reaches": Change.LOST, "raises": Change.LOST}
