"""What odd machines make of compiled functions, by build."""

from __future__ import annotations

from compat.runs.ids import BuildId
from compat.runs.model import Outcome
from compat.topics.machines.finding import Oddity, OnBuild, find
from tests.topics.cells import make_matrix
from tests.topics.machines.call_cells import EAGER, RAISED, calls_cell


def test_by_what_was_odd_and_by_build() -> None:
    old = calls_cell("2.12.1-cpu", fork=EAGER)
    new = calls_cell("2.13.0-cpu", fork=RAISED, thread=EAGER)
    died = calls_cell("2.14.0-cpu", Outcome.CRASH)
    assert find(make_matrix(old, new, died)).found == (
        Oddity(
            check="machines.odd[common]",
            name="fork",
            builds={
                BuildId("2.12.1-cpu"): OnBuild(went=EAGER, cell=old.id),
                BuildId("2.13.0-cpu"): OnBuild(went=RAISED, cell=new.id),
            },
        ),
        Oddity(
            check="machines.odd[common]",
            name="thread",
            builds={BuildId("2.13.0-cpu"): OnBuild(went=EAGER, cell=new.id)},
        ),
    )
