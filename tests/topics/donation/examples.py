"""Cells of donation."""

from __future__ import annotations

from compat.runs.model import Cell, Outcome
from compat.topics.donation.records import Afterwards, Copies, Memory, Time
from tests.topics.cells import make_cell

BACK_AS_A_LIST = {"works": False, "returned_before": "Tensor", "returned": "list(Tensor)"}


def copies_on(build: str, kept: int, donated: int) -> tuple[Cell, Cell]:
    return (
        make_cell(build, Copies(copies=kept), params={"path": "standalone"}),
        make_cell(build, Copies(copies=donated), params={"path": "donated"}),
    )


def used_on(build: str, use: str, output: str = "bare", **changes: object) -> Cell:
    """A donated graph that was used afterwards, which worked unless ``changes`` say otherwise."""
    values: dict[str, object] = {
        "works_before": True,
        "works": True,
        "failure": "",
        "max_abs": 0.0,
        "returned_before": "Tensor",
        "returned": "Tensor",
        **changes,
    }
    params = {"use": use, "output": output, "flag": "donated"}
    return make_cell(build, Afterwards(**values), params=params)  # type: ignore[arg-type]


def not_used_on(build: str, use: str, outcome: Outcome) -> Cell:
    params = {"use": use, "output": "bare", "flag": "donated"}
    return make_cell(build, None, outcome, probe="donation.afterwards", params=params)


def time_on(build: str, nodes: str, saved: tuple[float, float] | None = None) -> Cell:
    """Whether donation saves is told apart from nothing where there is a ``saved`` interval."""
    record = Time(
        copy_s=0.0215,
        compile_s=2.14,
        saved_s=0.0,
        interval_s=saved or (-0.1, 0.1),
        pairs=6,
        measurable=saved is not None,
    )
    return make_cell(build, record, params={"nodes": nodes})


def memory_on(build: str) -> Cell:
    return make_cell(build, Memory(kept_mb=275, donated_mb=18, buffer_mb=256))
