"""What failures leave behind, by path and build."""

from __future__ import annotations

from compat.runs.ids import BuildId
from compat.runs.model import Outcome
from compat.topics.failing.finding import find
from tests.topics.cells import make_matrix
from tests.topics.failing.failing_cells import failed_cell, make_failed


def test_each_build_has_its_places() -> None:
    known = failed_cell("2.12.0-cpu", make_failed(left=("gradients",)))
    unknown = failed_cell("2.13.0-cpu", None, Outcome.CRASH)
    found = find(make_matrix(known, unknown)).paths[0].builds
    assert found[BuildId("2.12.0-cpu")].places["pass"].left == ("gradients",)
    assert found[BuildId("2.13.0-cpu")].places == {}
    assert found[BuildId("2.13.0-cpu")].cell == unknown.id
