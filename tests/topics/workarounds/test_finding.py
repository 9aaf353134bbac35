"""Where a workaround is needed, and whether its gate fits."""

from __future__ import annotations

import pytest

from compat.runs.ids import BuildId
from compat.runs.model import Cell
from compat.topics.stand_in.records import Needs
from compat.topics.tracing_context.records import Needed
from compat.topics.workarounds.finding import Misfit, OnLine, State, find
from compat.topics.workarounds.table import WORKAROUNDS, Measured
from tests.topics.cells import make_cell, make_matrix
from tests.topics.workarounds.trial_cells import absent, free, needed, unknown

PROBED = [name for name, row in WORKAROUNDS.items() if row.measured is Measured.PROBE]
# Its gate lets in 2.11 alone.
GATED = "scalar-mask"
UNGATED = "bare-result"


def line(*cells: Cell) -> OnLine:
    (row,) = find(make_matrix(*cells)).rows
    (only,) = row.lines
    return only


@pytest.mark.parametrize("name", PROBED)
def test_every_row_goes_from_not_needed_to_needed(name: str) -> None:
    """And what was said of it to be deletable is taken back."""
    before = line(needed("2.10.0-cpu", name), free("2.12.0-cpu", name), free("2.13.0-cpu", name))
    after = line(needed("2.10.0-cpu", name), free("2.12.0-cpu", name), needed("2.13.0-cpu", name))
    assert before.free == (BuildId("2.12.0-cpu"), BuildId("2.13.0-cpu"))
    assert before.on[BuildId("2.13.0-cpu")].state is State.NOT_NEEDED
    assert after.on[BuildId("2.13.0-cpu")].state is State.NEEDED
    assert after.free == ()


@pytest.mark.parametrize(
    ("states", "misfits"),
    [
        ({"2.10": needed, "2.11": needed, "2.12": free}, {Misfit.OPENS_LATE: ["2.10"]}),
        ({"2.10": free, "2.11": needed, "2.12": needed}, {Misfit.CLOSES_EARLY: ["2.12"]}),
        ({"2.10": free, "2.11": free, "2.12": needed},
         {Misfit.OPENS_EARLY: ["2.11"], Misfit.CLOSES_EARLY: ["2.12"]}),
        ({"2.10": needed, "2.11": free, "2.12": free},
         {Misfit.OPENS_LATE: ["2.10"], Misfit.CLOSES_LATE: ["2.11"]}),
        ({"2.10": free, "2.11": needed, "2.12": free}, {}),
        ({"2.12": needed, "2.13": free}, {Misfit.MISSES: ["2.12"]}),
        # Nothing shows that the probe can see it.
        ({"2.10": free, "2.11": free, "2.12": free}, {}),
        ({"2.10": unknown, "2.11": needed, "2.12": absent}, {}),
    ],
)  # fmt: skip
def test_gates(states: dict[str, object], misfits: dict[Misfit, list[str]]) -> None:
    found = line(*(make(f"{build}.0-cpu", GATED) for build, make in states.items()))  # type: ignore[operator]
    said = {
        misfit: [build.name.removesuffix(".0") for build in builds]
        for misfit, builds in found.misfits.items()
    }
    assert said == misfits


def test_without_a_gate_it_is_applied_everywhere() -> None:
    found = line(needed("2.10.0-cpu", UNGATED), free("2.11.0-cpu", UNGATED))
    assert found.misfits == {Misfit.CLOSES_LATE: (BuildId("2.11.0-cpu"),)}
    assert found.free == (BuildId("2.11.0-cpu"),)


def test_what_is_not_known_is_kept_apart() -> None:
    found = line(
        needed("2.10.0-cpu", GATED), unknown("2.11.0-cpu", GATED), free("2.12.0-cpu", GATED)
    )
    assert found.untested == (BuildId("2.11.0-cpu"),)
    assert found.free == (BuildId("2.12.0-cpu"),)


def test_each_device_by_itself() -> None:
    (row,) = find(make_matrix(needed("2.10.0-cpu", GATED), free("2.10.0-cuda", GATED))).rows
    assert [len(each.those(State.NEEDED)) for each in row.lines] == [1, 0]


def test_a_workaround_that_does_not_help() -> None:
    found = line(needed("2.11.0-cpu", GATED, with_it="TypeError"))
    assert found.on[BuildId("2.11.0-cpu")].works is False


def test_the_topics_that_measure_two_of_them_are_read() -> None:
    crash = Needed(needed=True, failure="AssertionError")
    lacks = Needs(needed=True, failure="AttributeError", read=True)
    fine = Needs(needed=False, failure="", read=False)
    cells = [
        make_cell("2.10.0-cpu", crash, params={"batch": "static"}),
        make_cell("2.11.0-cpu", Needed(needed=False, failure=""), params={"batch": "static"}),
        make_cell("2.10.0-cpu", fine, params={"member": "var_to_hint_override"}),
        make_cell("2.11.0-cpu", lacks, params={"member": "var_to_hint_override"}),
        make_cell("2.10.0-cpu", lacks, params={"member": "guards"}),
        make_cell("2.11.0-cpu", fine, params={"member": "guards"}),
    ]
    said = {
        row.workaround.name: [each.state for each in row.on.values()]
        for row in find(make_matrix(*cells)).rows
    }
    assert said == {
        "tracing-context": [State.NEEDED, State.NOT_NEEDED],
        "shape-env-stand-in": [State.NEEDED, State.NEEDED],
        "var-to-hint-override": [State.NOT_NEEDED, State.NEEDED],
    }
