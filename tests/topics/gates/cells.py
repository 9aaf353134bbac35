"""Cells of gates."""

from __future__ import annotations

from compat.runs.model import Cell, Outcome
from compat.topics.gates.records import Capability, PatchTarget, SharedFakeMode
from tests.topics.cells import make_cell


def capability(
    build: str,
    gate: bool,
    there: bool,
    feature: str = "fake_mode",
    floor: str | None = "2.13.0.dev",
) -> Cell:
    record = Capability(gate=gate, capability=there, floor=floor, source="vllm#39733")
    return make_cell(build, record, params={"feature": feature})


def unknown(build: str, outcome: Outcome = Outcome.CRASH, feature: str = "fake_mode") -> Cell:
    return make_cell(build, None, outcome, probe="gates.capability", params={"feature": feature})


def shared(build: str, way: str, outcome: Outcome = Outcome.PASS) -> Cell:
    record = SharedFakeMode(max_abs=1e-7) if outcome is Outcome.PASS else None
    return make_cell(build, record, outcome, probe="gates.shared_fake_mode", params={"way": way})


def target(build: str, reaches: bool, way: str = "string") -> Cell:
    record = PatchTarget(reaches=reaches, failure="" if reaches else "AttributeError")
    return make_cell(build, record, params={"way": way})
