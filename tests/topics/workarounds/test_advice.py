"""What a downstream that supports some builds can do about its workarounds."""

from __future__ import annotations

import pytest

from compat.runs.ids import BuildId
from compat.runs.model import Cell
from compat.topics.topic import AdviceKind
from compat.topics.tracing_context.records import Needed
from compat.topics.workarounds.advice import advise
from compat.topics.workarounds.finding import find
from tests.topics.cells import make_cell, make_matrix
from tests.topics.workarounds.trial_cells import free, needed, unknown

NAME = "scalar-mask"


@pytest.mark.parametrize(
    ("cells", "builds", "kind", "said"),
    [
        (
            [needed("2.10.0-cpu", NAME)],
            ["2.10.0"],
            AdviceKind.BREAKS,
            "does not apply it to 2.10.0",
        ),
        ([needed("2.11.0-cpu", NAME)], ["2.11.0"], AdviceKind.STILL_NEEDED, "Without it on 2.11.0"),
        ([unknown("2.12.0-cpu", NAME)], ["2.12.0"], AdviceKind.UNKNOWN, "Nothing is known of"),
        (
            [needed("2.11.0-cpu", NAME), free("2.12.0-cpu", NAME)],
            ["2.12.0"],
            AdviceKind.CAN_GO,
            "2.11.0: needed, so the probe sees that",
        ),
        (
            [free("2.10.0-cpu", NAME), needed("2.11.0-cpu", NAME)],
            ["2.10.0"],
            AdviceKind.STILL_NEEDED,
            "but 2.11.0 does again",
        ),
        (
            [free("2.12.0-cpu", NAME)],
            ["2.12.0"],
            AdviceKind.UNKNOWN,
            "no build is known to need it on the device of 2.12.0, so nothing shows",
        ),
        (
            [needed("2.11.0-cpu", NAME), free("2.12.0-cpu", NAME), free("2.12.0-cuda", NAME)],
            ["2.12.0", "2.12.0-cuda"],
            AdviceKind.UNKNOWN,
            "on the device of 2.12.0 cuda, so nothing shows",
        ),
    ],
)
def test_advice(cells: list[Cell], builds: list[str], kind: AdviceKind, said: str) -> None:
    matrix = make_matrix(*cells)
    names = [BuildId(each if each.endswith("-cuda") else f"{each}-cpu") for each in builds]
    (advice,) = advise(matrix, find(matrix), names)
    assert advice.kind is kind
    assert said in advice.text
    assert {cell.build for cell in advice.cells} == set(names)


def test_what_another_topic_measures_it_advises() -> None:
    record = Needed(needed=True, failure="AssertionError")
    matrix = make_matrix(make_cell("2.10.0-cpu", record, params={"batch": "static"}))
    assert find(matrix).rows
    assert list(advise(matrix, find(matrix), [BuildId("2.10.0-cpu")])) == []
