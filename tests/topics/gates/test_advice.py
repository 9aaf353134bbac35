"""What a downstream can do about a gate, in full."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from compat.runs.ids import BuildId
from compat.runs.model import Cell
from compat.topics.gates.advice import advise
from compat.topics.gates.finding import find
from compat.topics.topic import Advice, AdviceKind
from tests.topics.cells import make_matrix
from tests.topics.gates.cells import capability, unknown

MISSED, USED, ABSENT, BROKEN = (False, True), (True, True), (False, False), (True, False)


def advice_of(*cells: Cell, among: Sequence[str] = ()) -> Advice:
    matrix = make_matrix(*cells)
    builds = [BuildId(name) for name in among] or [build.id for build in matrix.builds]
    (advice,) = advise(matrix, find(matrix), builds)
    return advice


@pytest.mark.parametrize(
    ("answers", "kind", "text"),
    [
        (
            {"2.12.1-cpu": MISSED, "2.13.0-cpu": USED},
            AdviceKind.GATE_CAN_GO,
            "every build has the feature: pass it always. "
            "That rests on the signature of what takes it.",
        ),
        (
            {"2.11.0-cpu": ABSENT, "2.12.1-cpu": MISSED, "2.13.0-cpu": USED},
            AdviceKind.GATE_CAN_MOVE,
            "the feature is on 2.12.1, 2.13.0, and not on 2.11.0. The gate can open at 2.12.1.",
        ),
        # It can open at no version: a build of one of the two devices has none from there on.
        (
            {"2.11.0-cpu": MISSED, "2.11.0-cuda": MISSED, "2.12.1-cpu": ABSENT},
            AdviceKind.GATE_CAN_MOVE,
            "the feature is on 2.11.0, 2.11.0 cuda, and not on 2.12.1.",
        ),
        (
            {"2.11.0-cpu": ABSENT, "2.12.1-cpu": MISSED, "2.12.1-cuda": MISSED},
            AdviceKind.GATE_CAN_MOVE,
            "2.12.1, 2.12.1 cuda, and not on 2.11.0. The gate can open at 2.12.1.",
        ),
        (
            {"2.12.1-cpu": ABSENT, "2.13.0-cpu": USED},
            AdviceKind.STILL_NEEDED,
            "which is right: the feature is not there on 2.12.1.",
        ),
        (
            {"2.12.1-cpu": ABSENT, "2.13.0-cpu": USED, "2.15.0-cpu": BROKEN},
            AdviceKind.BREAKS,
            "the feature is not there on 2.15.0.",
        ),
    ],
)
@pytest.mark.parametrize("floor", ["2.13.0.dev", None])
def test_a_gate(
    answers: dict[str, tuple[bool, bool]], kind: AdviceKind, text: str, floor: str | None
) -> None:
    cells = [capability(build, *answer, floor=floor) for build, answer in answers.items()]
    ships = f"Downstream ships the gate {floor}" if floor else "Downstream ships no gate"
    advice = advice_of(*cells)
    assert advice.text.startswith(ships)
    assert advice.text.endswith(text)
    assert (advice.kind, advice.about) == (kind, "gate of fake_mode")
    assert advice.cells == tuple(cell.id for cell in cells)


def test_nothing_is_said_where_a_build_is_unknown() -> None:
    cells = [capability("2.12.1-cpu", *USED), unknown("2.13.0-cpu")]
    assert advice_of(*cells) == Advice(
        kind=AdviceKind.UNKNOWN,
        about="gate of fake_mode",
        text="Nothing is known of 2.13.0.",
        cells=tuple(cell.id for cell in cells),
    )


def test_only_what_a_downstream_supports_counts() -> None:
    cells = [capability("2.11.0-cpu", *ABSENT), capability("2.13.0-cpu", *USED)]
    advice = advice_of(*cells, among=["2.13.0-cpu"])
    assert (advice.kind, advice.cells) == (AdviceKind.GATE_CAN_GO, (cells[1].id,))
