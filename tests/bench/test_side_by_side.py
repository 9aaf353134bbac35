"""The same cells side by side and one at a time: what is compared, and what is said of it."""

from __future__ import annotations

from typing import cast

import pytest

from compat.bench import side_by_side
from compat.bench.side_by_side import SideBySide, side_by_side_text
from compat.runs.ids import AnswerId
from compat.runs.model import Cell, Outcome, Run
from compat.runs.store import RunFolder
from compat.topics.donation.records import Copies
from tests.conftest import make_build, make_cell, make_run


def run_of(*cells: Cell) -> Run:
    return make_run([make_build("2.13.0")], list(cells))


def copies(number: int, path: str = "standalone") -> Cell:
    record = Copies(copies=number)
    return make_cell("2.13.0", "donation.copies", record=record, params={"path": path})


def test_what_two_runs_answer_otherwise_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    bad = make_cell("2.13.0", "donation.copies", Outcome.FAIL, params={"path": "aot"})
    runs = {
        "together": run_of(copies(1), copies(1, "aot"), copies(1, "donated")),
        "apart": run_of(copies(2), bad, copies(1, "donated")),
    }
    monkeypatch.setattr(side_by_side, "merge", lambda folders: runs[folders[0]])
    compared, differing = side_by_side._compare(cast(list[RunFolder], list(runs)))
    assert set(differing) == {
        "donation.copies[standalone].copies",
        "donation.copies[aot].outcome",
        # One of them does not say it at all.
        "donation.copies[aot].copies",
    }
    # The build as a whole, three endings and two numbers of copies.
    assert compared == 6


def test_the_ratio_is_said() -> None:
    seen = SideBySide(
        cells=15,
        jobs=16,
        together_s=37,
        apart_s=59.2,
        answers=97,
        differing=(AnswerId("parity.outputs[aot].kernels"),),
    )
    assert side_by_side_text(seen).splitlines() == [
        "15 cells: 16 side by side took 37 s, one after the other 59 s: 1.6 times as long.",
        "1 of 97 answers differ between the two runs.",
        "  parity.outputs[aot].kernels",
    ]
