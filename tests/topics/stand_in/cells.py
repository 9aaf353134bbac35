"""Cells of the ShapeEnv stand-in."""

from __future__ import annotations

from compat.runs.model import Cell, Outcome
from compat.topics.stand_in.records import Needs, Reads
from tests.topics.cells import make_cell


def needs(build: str, member: str, needed: bool, *, read: bool = True) -> Cell:
    failure = f"AttributeError: the stand-in has no {member}" if needed else ""
    return make_cell(
        build, Needs(needed=needed, failure=failure, read=read), params={"member": member}
    )


def unknown(build: str, member: str, outcome: Outcome = Outcome.CRASH) -> Cell:
    return make_cell(build, None, outcome, probe="shape_env.needs", params={"member": member})


def reads(build: str, *unknown: str) -> Cell:
    outcome = Outcome.FAIL if unknown else Outcome.PASS
    return make_cell(build, Reads(reads=("guards", *unknown), unknown=unknown), outcome)
